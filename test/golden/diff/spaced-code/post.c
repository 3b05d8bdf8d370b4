asm(".text\n"
    ".type one, @function\n.balign 32\none: mov $1, %eax\nret\n.size one, .-one\n"
    ".type two, @function\n.balign 32\ntwo: mov $2, %eax\nret\n.size two, .-two\n");
int one(void);
int run(int which)
{
	int (*called)(void) = (int (*)(void))((char *)one + which * 32);
	return called();
}
