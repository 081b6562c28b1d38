// Which ring sizes a session may have, and how a wish becomes a decision.
#pragma once

#include <optional>
#include <string_view>

#include "shm/abi.h"

namespace pqd {

// What is wrong with them, as a fixed sentence for people; nothing when they may be used.
std::optional<std::string_view> check_sizes(const SegmentSizes& sizes);

// Each 0 becomes the default, the rest stays as it is.
SegmentSizes with_defaults(const SegmentSizes& wanted);

// The smallest deliveries ring that takes every job with such a payload, whatever its other fields are.
uint32_t deliveries_bytes_for(uint32_t payload_bytes_max);

// Bytes of memory that both files of such a session take, headers included.
uint64_t session_bytes(const SegmentSizes& sizes);

}  // namespace pqd
