struct module { int count; };
extern struct module __this_module;
struct inode;
struct operations { struct module *owner; int (*open)(struct inode *); };
int plain_open(struct inode *inode);
const struct operations ops = { .open = plain_open };
