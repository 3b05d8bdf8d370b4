// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends a raw packet whose own IP header claims a length (ihl) of less than five words.
 * Prints "accepted" if the kernel takes it, "EINVAL" (or another error's name) if not.
 * Needs root. The packet goes to the loopback address.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	unsigned char packet[64] = { 0 };
	struct iphdr *header = (struct iphdr *)packet;
	struct sockaddr_in to = { .sin_family = AF_INET };
	int sock = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (sock < 0) {
		perror("socket");
		return 2;
	}
	header->version = 4;
	header->ihl = 3;
	header->ttl = 1;
	header->protocol = IPPROTO_UDP;
	header->tot_len = htons(sizeof(packet));
	header->saddr = htonl(INADDR_LOOPBACK);
	header->daddr = htonl(INADDR_LOOPBACK);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

	if (sendto(sock, packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		puts(strerrorname_np(errno));
	else
		puts("accepted");
	close(sock);
	return 0;
}
