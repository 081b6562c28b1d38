// What a receipt says beside its code. In the journal and in shared memory alike: append, never renumber.
#pragma once

#include <cstdint>

namespace pqd {

inline constexpr uint8_t kReceiptDeferred = 1;   // a submit waits for room in its queue, the verdict follows
inline constexpr uint8_t kReceiptDuplicate = 2;  // accepted earlier: the id is the first one's
inline constexpr uint8_t kReceiptVerdict = 4;    // ends a deferred submit, with code kOk or its refusal
// Bits 3..5 of a duplicate's receipt: the state of the first job plus one, 0 = it is no longer known.
inline constexpr unsigned kReceiptStateShift = 3;
inline constexpr uint8_t kReceiptStateMask = 7u << kReceiptStateShift;

}  // namespace pqd
