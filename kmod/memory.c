// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's memory: what is text and what is data, and a writable view of it. Text and
 * constants are mapped read-only, so they are written through another mapping of the same
 * pages, made before the machine stops.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/sections.h>

#include "core.h"

static bool lies_in(unsigned long addr, unsigned long size, unsigned long start,
		    unsigned long length)
{
	return addr >= start && size <= length && addr - start <= length - size;
}

static bool lies_between(unsigned long addr, unsigned long size, const char *start,
			 const char *end)
{
	return lies_in(addr, size, (unsigned long)start, end - start);
}

/*
 * The kernel proper's data that stays. Between these sections lies what is freed after
 * boot; the processors' own data is none of it either, but copied at boot.
 */
bool ksplice_is_kernel_data(unsigned long addr, unsigned long size)
{
	return lies_between(addr, size, __start_rodata, __end_rodata) ||
	       lies_between(addr, size, _sdata, _edata) ||
	       lies_between(addr, size, __bss_start, __bss_stop);
}

void ksplice_module_text(const struct module *mod, unsigned long *start, unsigned long *size)
{
#ifdef for_class_mod_mem_type	/* memory by type, instead of one layout with text first */
	*start = (unsigned long)mod->mem[MOD_TEXT].base;
	*size = mod->mem[MOD_TEXT].size;
#else
	*start = (unsigned long)mod->core_layout.base;
	*size = mod->core_layout.text_size;
#endif
}

bool ksplice_is_module_text(const struct module *mod, unsigned long addr, unsigned long size)
{
	unsigned long start, length;

	ksplice_module_text(mod, &start, &length);
	return lies_in(addr, size, start, length);
}

/* One stretch of a module's data after another, constants included; false behind the last. */
bool ksplice_module_data(const struct module *mod, u32 index, unsigned long *start,
			 unsigned long *size)
{
#ifdef for_class_mod_mem_type
	static const enum mod_mem_type types[KSPLICE_MODULE_DATA] = {
		MOD_DATA, MOD_RODATA, MOD_RO_AFTER_INIT,
	};

	if (index >= ARRAY_SIZE(types))
		return false;
	*start = (unsigned long)mod->mem[types[index]].base;
	*size = mod->mem[types[index]].size;
#else
	if (index)
		return false;
	*start = (unsigned long)mod->core_layout.base + mod->core_layout.text_size;
	*size = mod->core_layout.size - mod->core_layout.text_size;
#endif
	return true;
}

bool ksplice_is_module_data(const struct module *mod, unsigned long addr, unsigned long size)
{
	unsigned long start, length;
	u32 i;

	for (i = 0; ksplice_module_data(mod, i, &start, &length); i++)
		if (lies_in(addr, size, start, length))
			return true;
	return false;
}

static struct page *page_of(unsigned long addr)
{
	if (core_kernel_text(addr) || ksplice_is_kernel_data(addr, 1))
		return pfn_to_page(__pa_symbol(addr) >> PAGE_SHIFT);
	return vmalloc_to_page((void *)addr);
}

/* A writable mapping of text or data that stays, at most KSPLICE_MAX_WRITE bytes. */
enum ksplice_cause ksplice_map(unsigned long addr, unsigned long size, void **mapping)
{
	struct page *pages[KSPLICE_MAX_WRITE / PAGE_SIZE + 1];
	unsigned long page;
	unsigned int count = 0;
	void *base;

	for (page = addr & PAGE_MASK; page < addr + size; page += PAGE_SIZE) {
		pages[count] = page_of(max(page, addr));
		if (!pages[count++])
			return KSPLICE_UNEXPECTED;
	}
	base = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	if (!base)
		return KSPLICE_OUT_OF_MEMORY;
	*mapping = base + offset_in_page(addr);
	return KSPLICE_OK;
}

void ksplice_unmap(void *mapping)
{
	if (mapping)
		vunmap((void *)((unsigned long)mapping & PAGE_MASK));
}
