/** Where the programs are in a package's tree; the same tree as a clone's, as far as the commands look into it. */
export const LIBRARY = "usr/lib/ksplice";
