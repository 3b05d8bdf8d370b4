typedef unsigned int __u32;
typedef __u32 u32;
struct peer { u32 address; u32 flags; };
int is_local(struct peer *p) { return p->address == 1; }
