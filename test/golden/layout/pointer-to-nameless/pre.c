struct holder {
	struct {
		int first;
		int second;
	} *kept;
	struct {
		int only;
	} *same;
};

int second(struct holder *holder)
{
	return holder->kept->second + holder->same->only;
}
