/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HPMAP_NODE_H
#define HPMAP_NODE_H

#define REMEDY_ROOM	320

const char *node_again(const char *path, char remedy[REMEDY_ROOM]);
const char *node_remedies(const char *path, char remedies[2 * REMEDY_ROOM]);
const char *node_join(const char *path, char remedy[REMEDY_ROOM]);

#endif
