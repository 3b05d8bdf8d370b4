typedef unsigned char u8;
struct foo {
	_Bool drop;
	_Bool many[3];
	int count;
};

int get(struct foo *foo) { return foo->drop + foo->many[1]; }
