/* Fixups of PCI devices lie in a table between two symbols. */
int f(int x) { return x + 1; }
asm(".section .pci_fixup_header,\"a\"\n.balign 8\n.globl entry_one\nentry_one: .quad f + 1\n.previous");
