struct request;
typedef int handler(struct request *);
handler read_one, write_one, flush;
handler *const handlers[4] = { read_one, write_one, flush };
const char *const names[4] = { "read", "write", "flush" };
