// SPDX-License-Identifier: MIT
/* The one that the page names. */
