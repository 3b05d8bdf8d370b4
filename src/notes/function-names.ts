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

export function isConstructor(name: string): boolean {
  return CONSTRUCTOR.test(name) && !isDestructor(name);
}

export function isBeginning(name: string): boolean {
  return isConstructor(name) || (BEGINNING.test(name) && !isDestructor(name));
}

export function isDestructor(name: string): boolean {
  return DESTRUCTOR.test(name);
}

export function isSystemSleep(name: string): boolean {
  return SYSTEM_SLEEP.test(name) && !name.includes("runtime");
}
