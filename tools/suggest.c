// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was meant by a word that is none.
 *
 * The distance of two words is the number of letters to be put in, left out or
 * replaced, or of neighbours to be swapped. A third of the word may be wrong.
 */
#include <string.h>

#include "suggest.h"

#define MAX_LETTERS	32

static unsigned int number_min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* The distance of the first @n letters of @a from the word @b. Neither is longer than the room. */
static unsigned int words_distance(const char *a, unsigned int n, const char *b)
{
	unsigned int d[MAX_LETTERS + 1][MAX_LETTERS + 1], m = strlen(b), i, j, differ;

	for (i = 0; i <= n; i++)
		d[i][0] = i;
	for (j = 0; j <= m; j++)
		d[0][j] = j;
	for (i = 1; i <= n; i++) {
		for (j = 1; j <= m; j++) {
			differ = a[i - 1] != b[j - 1];
			d[i][j] = number_min(number_min(d[i - 1][j], d[i][j - 1]) + 1,
					     d[i - 1][j - 1] + differ);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = number_min(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[n][m];
}

void suggestion_begin(struct suggestion *s, const char *word, unsigned int length)
{
	*s = (struct suggestion){
		.word = word, .length = length, .distance = (length + 2) / 3 + 1,
	};
}

/* Is it nearer than those before? The beginning of a word is as near as one wrong letter. */
void suggestion_consider(struct suggestion *s, const char *candidate)
{
	unsigned int distance;

	if (s->length < 2 || s->length > MAX_LETTERS || strlen(candidate) > MAX_LETTERS)
		return;
	distance = strncmp(s->word, candidate, s->length) ?
		   words_distance(s->word, s->length, candidate) : 1;
	if (distance >= s->distance)
		return;
	s->best = candidate;
	s->distance = distance;
}
