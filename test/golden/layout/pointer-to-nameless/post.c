struct holder {
	struct {
		int second;
		int first;
	} *kept;
	struct {
		int only;
	} *same;
};

int second(struct holder *holder)
{
	return holder->kept->second + holder->same->only;
}
