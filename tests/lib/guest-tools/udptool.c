/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udptool - datagrams for tests inside a guest (busybox has no UDP netcat); linked statically, runs on a stock kernel
 *
 *     udptool send HOST PORT TEXT     send, wait up to 5 s, print the answer; tries three times
 *     udptool echo PORT               answer every datagram with its own bytes, upper case, for ever
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int send_one(const char *host, const char *port, const char *text)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
    int is6 = inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
    struct timeval tv = { .tv_sec = 5 };
    char buf[2048];

    if (!is6 && inet_pton(AF_INET, host, &v4.sin_addr) != 1) {
        fprintf(stderr, "udptool: '%s' is not an address\n", host);
        return 2;
    }
    int fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    if (connect(fd, is6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, is6 ? sizeof(v6) : sizeof(v4))) {
        perror("connect");
        return 2;
    }
    for (int i = 0; i < 3; i++) {
        if (send(fd, text, strlen(text), 0) < 0) {
            perror("send");
        }
        ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

        if (n >= 0) {
            buf[n] = 0;
            printf("UDP-ANSWER %s\n", buf);
            return 0;
        }
    }
    puts("UDP-NO-ANSWER");
    return 1;
}

static int echo(const char *port)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
    char buf[2048];
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);

    if (bind(fd, (struct sockaddr *)&any, sizeof(any))) {
        perror("bind");
        return 2;
    }
    puts("UDP-LISTENING");
    fflush(stdout);
    for (;;) {
        struct sockaddr_storage from;
        socklen_t len = sizeof(from);
        ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

        for (ssize_t i = 0; i < n; i++) {
            buf[i] = (char)toupper((unsigned char)buf[i]);
        }
        if (n >= 0) {
            sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "send")) {
        return send_one(argv[2], argv[3], argv[4]);
    }
    if (argc == 3 && !strcmp(argv[1], "echo")) {
        return echo(argv[2]);
    }
    fputs("usage: udptool send HOST PORT TEXT | echo PORT\n", stderr);
    return 2;
}
