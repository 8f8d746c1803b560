// SPDX-License-Identifier: GPL-2.0-only
/* Things that are in no page. */

static bool told_parameter;
module_param(told_parameter, bool, 0444);

static bool untold_parameter;
module_param(untold_parameter, bool, 0444);

BUFFER_ATTR(told_file, "%u", 1, 0);
static DEVICE_ATTR_RO(untold_file);

/**
 * hpage_map_told() - it has its kernel-doc
 */
void hpage_map_told(void)
{
}
EXPORT_SYMBOL_NS_GPL(hpage_map_told, "HPAGE_MAP");

void hpage_map_untold(void)
{
}
EXPORT_SYMBOL_NS_GPL(hpage_map_untold, "HPAGE_MAP");
