/** What the names of functions say by the kernel's habits about when they run. */

/** They make objects. */
const CONSTRUCTOR = /(?:^|_)(?:probe|init|alloc|create|new|bind|fill_super|attach|setup|register|ctor|constructor)\d*(?:_|$)/;
/** They take objects apart. */
const DESTRUCTOR =
  /(?:^|_)(?:remove|disconnect|unbind|exit|release|free|destroy|close|stop|shutdown|detach|unregister|cleanup|fini|del|delete|kill|put|dtor)(?:_|$)/;
/** They begin what another function ends. */
const BEGINNING = /(?:^|_)(?:open|start|enable|connect|prepare|resume|mount|up|begin|add|load|activate)(?:_|$)/;
/** User space is frozen between them. */
const SYSTEM_SLEEP = /(?:^|_)(?:suspend|resume)(?:_|$)/;

/** By the name: it makes or sets up what another function takes down. */
export function isConstructor(name: string): boolean {
  return CONSTRUCTOR.test(name) && !isDestructor(name);
}

/** By the name: something begins with it, and is not in use before. */
export function isBeginning(name: string): boolean {
  return isConstructor(name) || (BEGINNING.test(name) && !isDestructor(name));
}

/** By the name: it takes down or frees. */
export function isDestructor(name: string): boolean {
  return DESTRUCTOR.test(name);
}

/** By the name: it is called when the machine goes to sleep or wakes, not when a device idles. */
export function isSystemSleep(name: string): boolean {
  return SYSTEM_SLEEP.test(name) && !name.includes("runtime");
}
