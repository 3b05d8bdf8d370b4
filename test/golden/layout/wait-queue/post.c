struct wait_queue_head { int lock; struct list_head head; };
struct swait_queue_head { int lock; struct list_head task_list; };
struct wait_queue_entry { unsigned flags; void *private; struct list_head entry; };
struct swait_queue { void *task; struct list_head task_list; };
struct foo { int n; struct swait_queue_head wait; };
int outside(struct wait_queue_head *); int soutside(struct swait_queue_head *);
int get(struct foo *foo) { return soutside(&foo->wait) + foo->n; }
int other(struct swait_queue_head *s) { return soutside(s); }
