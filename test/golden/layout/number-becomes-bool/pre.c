typedef unsigned char u8;
struct foo {
	u8 drop;
	u8 many[3];
	int count;
};

int get(struct foo *foo) { return foo->drop + foo->many[1]; }
