/* A module's static SRCU structure was made known when the module was loaded: code may go on using it. */
int srcu_thing = 1;
int f(int x) { return x + srcu_thing + 2; }
asm(".section ___srcu_struct_ptrs,\"a\"\n.balign 8\n.quad srcu_thing\n.previous");
