// A job's record of the lane, turned into a record of the deliveries ring, in one copy. One thread.
#pragma once

#include "core/commit.h"
#include "core/down_record.h"
#include "core/state.h"
#include "shm/ring_writer.h"

namespace pqd {

// False when there is no room now. Not yet published. `skew_ns`: see EngineClock; consumers hold the lease's
// end against the clock that they have.
bool write_delivery(RingWriter& ring, const DeliveryEffect& delivery, const State& state, int64_t skew_ns);
// What has no number of its own: kCancelNotice, the holder of `delivery.token` should stop; kBatchEnd.
bool write_notice(RingWriter& ring, DownKind kind, const DeliveryEffect& delivery);

}  // namespace pqd
