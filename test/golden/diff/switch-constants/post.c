const char *greet(int x) { switch (x) { case 0: return "zero"; case 1: return "one"; case 2: return "TWO"; case 3: return "three"; case 4: return "four"; } return "many"; }
const char *steady(int x) { switch (x) { case 0: return "null"; case 1: return "eins"; case 2: return "zwei"; case 3: return "drei"; case 4: return "vier"; } return "viele"; }
