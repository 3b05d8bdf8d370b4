union value {
	u32 word;
	u8 bytes[4];
};

u32 get(union value *value) { return value->word; }
