/* SPDX-License-Identifier: BSD-2-Clause */
/* net/queue.c - singly linked list of copied frames with a count of frames and bytes */
#include "net/queue.h"
#include "lib/iov.h"
#include <glib.h>

static void append(struct net_queue *q, struct net_packet *p)
{
    p->next = NULL;
    if (q->last) {
        q->last->next = p;
    } else {
        q->head = p;
    }
    q->last = p;
    q->frames++;
    q->bytes += p->len;
}

bool net_queue_push(struct net_queue *q, const struct frame *f, bool force)
{
    struct net_packet *p;

    if (!force && net_queue_full(q)) {
        return false;
    }
    p = g_malloc(sizeof(*p) + f->len);
    p->meta = f->meta;
    p->len = (uint32_t)iov_to_buf(f->iov, f->iovcnt, 0, p->data, f->len);
    append(q, p);
    return true;
}

struct net_packet *net_queue_take(struct net_queue *q)
{
    struct net_packet *p = q->head;

    if (p) {
        q->head = p->next;
        if (!q->head) {
            q->last = NULL;
        }
        q->frames--;
        q->bytes -= p->len;
    }
    return p;
}

void net_queue_prepend(struct net_queue *q, struct net_queue *front)
{
    if (!front->head) {
        return;
    }
    front->last->next = q->head;
    if (!q->last) {
        q->last = front->last;
    }
    q->head = front->head;
    q->frames += front->frames;
    q->bytes += front->bytes;
    *front = (struct net_queue){ 0 };
}

unsigned net_queue_purge(struct net_queue *q)
{
    struct net_packet *p;
    unsigned n = 0;

    while ((p = net_queue_take(q))) {
        net_packet_free(p);
        n++;
    }
    return n;
}

void net_packet_frame(const struct net_packet *p, struct frame *f)
{
    frame_from_buf(f, p->data, p->len);
    f->meta = p->meta;
}

void net_packet_free(struct net_packet *p)
{
    g_free(p);
}
