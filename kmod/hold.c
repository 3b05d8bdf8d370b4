// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modules that an update's code needs: those that it patches, and those whose code or
 * data it uses. User space has put their addresses into the code, so the module loader
 * knows nothing of it; and jump labels and static calls of the new code are linked into
 * lists that begin in these modules, from its load until after its exit. So they are held
 * from before the first notifier of the load sees the new code until after the last one
 * of its unload.
 *
 * A module is no update's before it has been found to define ksplice_part.
 */
#define pr_fmt(fmt) "ksplice: " fmt

#include <linux/limits.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/* Guards the list of holds. Innermost. */
static DEFINE_MUTEX(holds_lock);
static LIST_HEAD(holds);

/* -- holding ------------------------------------------------------------------------- */

static void release_hold(struct ksplice_hold *hold)
{
	u32 i;

	for (i = 0; i < hold->nr_modules; i++)
		module_put(hold->modules[i]);
	kfree(hold);
}

/*
 * A module whose init function has not returned may still fail, and is freed then whoever
 * holds it.
 */
static struct module *get_live_module(const char *name)
{
	struct module *mod;

	rcu_read_lock();
	preempt_disable();
	mod = find_module(name);
	if (mod && (READ_ONCE(mod->state) != MODULE_STATE_LIVE || !try_module_get(mod)))
		mod = NULL;
	preempt_enable();
	rcu_read_unlock();
	return mod;
}

static int hold_pin(struct ksplice_hold *hold, const struct ksplice_pin *pin)
{
	struct module *mod = get_live_module(pin->name);
	unsigned long start, size;

	if (!mod) {
		pr_notice("%s needs module %s, which is not loaded\n", hold->owner->name,
			  pin->name);
		return -ENODEV;
	}
	hold->modules[hold->nr_modules++] = mod;
	ksplice_module_text(mod, &start, &size);
	if (start != pin->text) {
		pr_notice("%s: module %s has been loaded anew meanwhile\n", hold->owner->name,
			  pin->name);
		return -ENODEV;
	}
	return 0;
}

static struct ksplice_hold *find_hold(const struct module *owner)
{
	struct ksplice_hold *hold;

	list_for_each_entry(hold, &holds, list)
		if (hold->owner == owner)
			return hold;
	return NULL;
}

static struct ksplice_hold *new_hold(const struct module *owner, const struct ksplice_part *part)
{
	struct ksplice_hold *hold;
	int ret = 0;
	u32 i;

	hold = kzalloc(struct_size(hold, modules, part->nr_pins), GFP_KERNEL);
	if (!hold)
		return ERR_PTR(-ENOMEM);
	hold->owner = owner;
	for (i = 0; !ret && i < part->nr_pins; i++)
		ret = hold_pin(hold, &part->pins[i]);
	if (ret) {
		release_hold(hold);
		return ERR_PTR(ret);
	}
	list_add(&hold->list, &holds);
	return hold;
}

/* What the part needs, held now if it was not yet; given back when the owner goes. */
const struct ksplice_hold *ksplice_hold_part(const struct module *owner,
					     const struct ksplice_part *part)
{
	struct ksplice_hold *hold;

	mutex_lock(&holds_lock);
	hold = find_hold(owner);
	if (!hold)
		hold = new_hold(owner, part);
	mutex_unlock(&holds_lock);
	return hold;
}

static void let_go(const struct module *owner)
{
	struct ksplice_hold *hold;

	mutex_lock(&holds_lock);
	hold = find_hold(owner);
	if (hold) {
		list_del(&hold->list);
		release_hold(hold);
	}
	mutex_unlock(&holds_lock);
}

/* -- modules that come and go --------------------------------------------------------- */

/* The module's symbols are all there until its init function has returned. */
static const struct ksplice_part *find_part(const struct module *mod)
{
	const struct mod_kallsyms *symbols = rcu_dereference_protected(mod->kallsyms, true);
	unsigned int i;

	for (i = 0; i < symbols->num_symtab; i++) {
		const Elf_Sym *symbol = &symbols->symtab[i];

		if (symbol->st_shndx != SHN_UNDEF &&
		    !strcmp(symbols->strtab + symbol->st_name, "ksplice_part"))
			return (const void *)symbol->st_value;
	}
	return NULL;
}

static int hold_at_load(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct ksplice_part *part;
	struct module *mod = data;
	int ret;

	if (state != MODULE_STATE_COMING)
		return NOTIFY_DONE;
	part = find_part(mod);
	if (!part)
		return NOTIFY_DONE;
	ret = ksplice_validate_part(mod, part);
	if (!ret)
		ret = PTR_ERR_OR_ZERO(ksplice_hold_part(mod, part));
	return notifier_from_errno(ret);
}

/*
 * If a later notifier fails the load, only those before it hear of it, so not this one:
 * what the module needs stays held then until the core is unloaded.
 */
static int let_go_behind_exit(struct notifier_block *nb, unsigned long state, void *data)
{
	if (state == MODULE_STATE_GOING)
		let_go(data);
	return NOTIFY_DONE;
}

static struct notifier_block first_nb = {
	.notifier_call = hold_at_load,
	.priority = INT_MAX,
};

static struct notifier_block last_nb = {
	.notifier_call = let_go_behind_exit,
	.priority = INT_MIN,
};

int ksplice_hold_init(void)
{
	int ret = register_module_notifier(&last_nb);

	if (ret)
		return ret;
	ret = register_module_notifier(&first_nb);
	if (ret)
		unregister_module_notifier(&last_nb);
	return ret;
}

void ksplice_hold_exit(void)
{
	struct ksplice_hold *hold, *next;

	unregister_module_notifier(&first_nb);
	unregister_module_notifier(&last_nb);
	list_for_each_entry_safe(hold, next, &holds, list)
		release_hold(hold);
}

/* -- what is held --------------------------------------------------------------------- */

#define for_each_held(update, member, held)						\
	list_for_each_entry(member, &(update)->members, list)				\
		for (held = (member)->hold->modules;					\
		     held < (member)->hold->modules + (member)->hold->nr_modules; held++)

bool ksplice_holds(const struct ksplice_update *update, const struct module *mod)
{
	const struct ksplice_member *member;
	struct module *const *held;

	for_each_held(update, member, held)
		if (*held == mod)
			return true;
	return false;
}

/* Text that cannot go away: of the kernel itself or of a module that is held. */
bool ksplice_is_held_text(const struct ksplice_update *update, unsigned long addr,
			  unsigned long size)
{
	const struct ksplice_member *member;
	struct module *const *held;

	if (core_kernel_text(addr) && core_kernel_text(addr + size - 1))
		return true;
	for_each_held(update, member, held)
		if (ksplice_is_module_text(*held, addr, size))
			return true;
	return false;
}

/* The same of data. */
bool ksplice_is_held_data(const struct ksplice_update *update, unsigned long addr,
			  unsigned long size)
{
	const struct ksplice_member *member;
	struct module *const *held;

	if (ksplice_is_kernel_data(addr, size))
		return true;
	for_each_held(update, member, held)
		if (ksplice_is_module_data(*held, addr, size))
			return true;
	return false;
}
