// The times of schedules for people: zones by name, and the coming runs.
#pragma once

#include "core/zone_rules.h"
#include "tools/pqctl/complaint.h"

namespace pqd::ctl {

// 65 when the system has no zone of this name.
Checked<std::shared_ptr<const ZoneRules>> find_zone(ZoneSource& zones, const std::string& name);

}  // namespace pqd::ctl
