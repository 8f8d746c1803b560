/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SUGGEST_H
#define SUGGEST_H

/**
 * struct suggestion - the nearest of the words that were considered
 * @word: what was typed
 * @length: characters of it that count
 * @best: the nearest so far, or NULL if none is near
 * @distance: how far that is
 */
struct suggestion {
	const char *word;
	unsigned int length;
	const char *best;
	unsigned int distance;
};

void suggestion_begin(struct suggestion *s, const char *word, unsigned int length);
void suggestion_consider(struct suggestion *s, const char *candidate);

#endif
