/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/offload/csum.c - the Internet checksum, eight bytes a step
 *
 * One's complement addition does not care about word size or byte order (RFC 1071 section 2), so 64-bit native words are added with
 * end-around carry and folded at the end. The folded value is stored as it lies in memory; no byte is swapped anywhere but at odd offsets.
 */
#include "net/offload/csum.h"
#include "lib/bytes.h"

static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b);
}

uint64_t csum_add(uint64_t sum, const void *ptr, size_t len)
{
    const uint8_t *p = ptr;
    uint64_t v, s2 = 0;

    while (len >= 32) {
        uint64_t w[4];

        memcpy(w, p, 32);
        sum = add_carry(sum, w[0]);
        s2 = add_carry(s2, w[1]);
        sum = add_carry(sum, w[2]);
        s2 = add_carry(s2, w[3]);
        p += 32;
        len -= 32;
    }
    while (len >= 8) {
        memcpy(&v, p, 8);
        sum = add_carry(sum, v);
        p += 8;
        len -= 8;
    }
    if (len) {
        v = 0;
        memcpy(&v, p, len);                     /* zeros behind: the odd last byte is padded as RFC 1071 says */
        sum = add_carry(sum, v);
    }
    return add_carry(sum, s2);
}

uint16_t csum_fold(uint64_t sum)
{
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)((sum & 0xFFFF) + (sum >> 16));
}

uint64_t csum_add_iov(uint64_t sum, const struct iovec *iov, unsigned cnt, size_t off, size_t len)
{
    bool odd = false;

    for (unsigned i = 0; i < cnt && len; i++) {
        size_t n = iov[i].iov_len;
        const uint8_t *p = iov[i].iov_base;

        if (off >= n) {
            off -= n;
            continue;
        }
        p += off;
        n -= off;
        off = 0;
        if (n > len) {
            n = len;
        }
        if (odd) {
            sum = add_carry(sum, __builtin_bswap16(csum_fold(csum_add(0, p, n))));
        } else {
            sum = csum_add(sum, p, n);
        }
        odd ^= n & 1;
        len -= n;
    }
    return sum;
}

uint64_t csum_pseudo(const uint8_t *ip, enum pkt_l3 l3, uint8_t proto, uint32_t len)
{
    uint8_t tail[8] = { 0 };

    st_be32(tail, len);
    tail[7] = proto;
    return csum_add(l3 == PKT_L3_IP4 ? csum_add(0, ip + 12, 8) : csum_add(0, ip + 8, 32), tail, 8);
}

void csum_store(uint8_t *p, uint64_t sum)
{
    uint16_t v = (uint16_t)~csum_fold(sum);

    if (!v) {
        v = 0xFFFF;
    }
    memcpy(p, &v, 2);
}

void csum_ip4_header(uint8_t *ip, size_t hlen)
{
    uint16_t v;

    st_be16(ip + 10, 0);
    v = (uint16_t)~csum_fold(csum_add(0, ip, hlen));
    memcpy(ip + 10, &v, 2);
}

bool csum_finish(uint8_t *frame, size_t len, size_t start, size_t off)
{
    if (start >= len || off > len - start || len - start - off < 2) {
        return false;
    }
    csum_store(frame + start + off, csum_add(0, frame + start, len - start));
    return true;
}

enum csum_state csum_check_ip4(const uint8_t *frame, const struct pkt_layout *l)
{
    if (l->l3 != PKT_L3_IP4) {
        return CSUM_NONE;
    }
    return csum_fold(csum_add(0, frame + l->l3_off, l->l4_off - l->l3_off)) == 0xFFFF ? CSUM_GOOD : CSUM_BAD;
}

enum csum_state csum_check_l4(const struct iovec *iov, unsigned cnt, const uint8_t *hdr, const struct pkt_layout *l)
{
    size_t len;
    uint64_t sum;

    if ((l->l4 != PKT_L4_TCP && l->l4 != PKT_L4_UDP) || l->fragment || !l->l3_len_ok) {
        return CSUM_NONE;
    }
    len = l->l3_end - l->l4_off;
    if (l->l4 == PKT_L4_UDP) {
        size_t ulen = ld_be16(hdr + l->l4_off + 4);

        if (ulen < 8 || ulen > len) {
            return CSUM_BAD;
        }
        len = ulen;
        if (!ld_be16(hdr + l->l4_off + 6)) {
            return l->l3 == PKT_L3_IP4 ? CSUM_NONE : CSUM_BAD;      /* RFC 768: not used; RFC 8200 8.1: must be used */
        }
    }
    sum = csum_pseudo(hdr + l->l3_off, l->l3, l->proto, (uint32_t)len);
    return csum_fold(csum_add_iov(sum, iov, cnt, l->l4_off, len)) == 0xFFFF ? CSUM_GOOD : CSUM_BAD;
}
