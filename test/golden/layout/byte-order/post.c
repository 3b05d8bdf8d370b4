typedef unsigned int __u32;
typedef __u32 u32;
typedef __u32 __be32;
struct peer { __be32 address; u32 flags; };
int is_local(struct peer *p) { return p->address == __builtin_bswap32(1); }
