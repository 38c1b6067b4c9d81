/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pingall ADDRESS MIN MAX - one ICMP echo request of every payload length, each answered byte for byte
 *
 * A process of its own for each size, as with ping, takes minutes in a translated guest.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_MS = 5000, SIZE_MAX_ = 65000 };

static unsigned short sum(const unsigned char *p, size_t n)
{
    unsigned long s = 0;

    for (size_t i = 0; i < n; i++) {
        s += i & 1 ? p[i] : (unsigned long)p[i] << 8;
    }
    while (s >> 16) {
        s = (s & 0xFFFF) + (s >> 16);
    }
    return htons((unsigned short)~s);
}

/* true: the echo of @out has come back */
static int one(int fd, const struct sockaddr_in *to, const unsigned char *out, size_t len)
{
    static unsigned char in[SIZE_MAX_ + 100];
    struct pollfd pfd = { fd, POLLIN, 0 };

    sendto(fd, out, len, 0, (const struct sockaddr *)to, sizeof(*to));
    while (poll(&pfd, 1, TIMEOUT_MS) > 0) {
        ssize_t n = recv(fd, in, sizeof(in), 0);
        size_t ip = (size_t)(in[0] & 15) * 4;

        if (n < (ssize_t)(ip + 8) || in[ip] != ICMP_ECHOREPLY || memcmp(in + ip + 4, out + 4, 4)) {
            continue;
        }
        return (size_t)n == ip + len && !memcmp(in + ip + 8, out + 8, len - 8);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static unsigned char out[SIZE_MAX_ + 8];
    struct sockaddr_in to = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), min, max, lost = 0;

    if (argc != 4 || fd < 0 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
        return 2;
    }
    min = atoi(argv[2]);
    max = atoi(argv[3]);
    for (int s = min; s <= max && s <= SIZE_MAX_; s++) {
        unsigned short c;

        for (int i = 0; i < s; i++) {
            out[8 + i] = (unsigned char)(i * 7 + s);
        }
        out[0] = ICMP_ECHO;
        out[1] = out[2] = out[3] = 0;
        out[4] = 0x50;
        out[5] = 0x42;
        out[6] = (unsigned char)(s >> 8);
        out[7] = (unsigned char)s;
        c = sum(out, 8 + (size_t)s);
        memcpy(out + 2, &c, 2);
        if (!one(fd, &to, out, 8 + (size_t)s)) {
            printf("LOST %d\n", s);
            lost++;
        }
    }
    printf("LOST-PINGS=%d\n", lost);
    return lost != 0;
}
