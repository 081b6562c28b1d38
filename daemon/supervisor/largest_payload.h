// The largest max_payload_bytes that this state was ever served with: jobs as large may be in the store for
// years, as dead letters say, and each has to fit into every consumer's ring, also after the setting was
// lowered. A delivery that never fits would hold up its consumer, and the jobs behind it, for ever.
//
// The file `largest_payload`: the number in decimal, and a line feed. Belongs to the supervisor's thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "daemon/supervisor/start_failure.h"

namespace pqd {

// `max_payload_bytes`, or what it was before if that is more; what is returned is on the disk. REQUIRES:
// `state_dir` is locked by us.
std::expected<uint32_t, StartFailure> largest_payload(const std::string& state_dir,
                                                      uint32_t max_payload_bytes);

}  // namespace pqd
