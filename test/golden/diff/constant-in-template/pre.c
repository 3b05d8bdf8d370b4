static const int table[] = {
	[0] = 7,
	[2] = 5,
};
struct view { const int *first; const char *label; int numbers[6]; };
int show(struct view *v);
int render(void)
{
	struct view v = { .first = table, .label = "view", .numbers = { 1, 2, 3, 4, 5, 6 } };
	return show(&v);
}
