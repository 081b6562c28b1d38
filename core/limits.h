// Every fixed limit in one place, with the relations between them checked at compile time. What may be
// configured has its default in queue_settings.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pqd::limits {

inline constexpr size_t kNameBytesMax = 64;
inline constexpr size_t kPayloadBytesDefault = 256 * 1024;
inline constexpr size_t kPayloadBytesMax = 16 * 1024 * 1024;
inline constexpr size_t kMetadataBytesMax = 4 * 1024;
inline constexpr size_t kKeyBytesMax = 128;
inline constexpr size_t kSubjectBytesMax = 128;
inline constexpr size_t kTraceparentBytesMax = 64;
inline constexpr size_t kResultBytesMax = 64 * 1024;
inline constexpr size_t kNoteBytesMax = 1024;             // progress notes, error texts, resolutions
inline constexpr int64_t kUnixMsMax = 9'000'000'000'000;  // year 2255: as nanoseconds it has room to spare
inline constexpr uint8_t kPriorityMin = 1;
inline constexpr uint8_t kPriorityMax = 20;
inline constexpr uint8_t kRankCount = kPriorityMax + 1;  // indexed by priority; 0 stays unused

inline constexpr uint32_t kPartitionsMax = 64;  // of one daemon; the tag of an id has six bits for it
inline constexpr uint32_t kQueuesMax = 4'096;
inline constexpr uint32_t kFairWeightMax = 1'000;  // turns of one group while another has one
inline constexpr uint32_t kTypesMax = 65'536;
// Queues and types stay for good: of them one user, administrators apart, may name so many.
inline constexpr uint32_t kQueuesPerUserMax = kQueuesMax / 4;
inline constexpr uint32_t kTypesPerUserMax = kTypesMax / 4;
inline constexpr uint32_t kSubscriptionTypesMax = 64;
inline constexpr uint32_t kSubscriptionsPerSessionMax = 256;
inline constexpr uint32_t kCreditsMax = 65'536;
inline constexpr uint32_t kBatchSizeMax = 65'535;    // jobs delivered as one batch; 16 bits a place
inline constexpr uint32_t kBatchSubmitMax = 65'536;  // jobs in one atomic submit
inline constexpr uint32_t kParkedMax = 65'536;       // submits waiting for room, over all queues
inline constexpr uint32_t kListPageMax = 1'000;
inline constexpr uint32_t kDeadLetterPageMax = 100;  // they come with their histories
inline constexpr size_t kAccessGroupsMax = 32;       // that the configuration gives roles to
inline constexpr size_t kWatchesPerSessionMax = 16;
inline constexpr size_t kWatchesPerUserMax = 32;
inline constexpr size_t kWatchesMax = 64;  // over all sessions
inline constexpr size_t kWatchLineMax =
    16'384;  // changes that wait for one watch; more are left out and counted

// Schedules stand whole in the tables, which every checkpoint writes.
inline constexpr uint32_t kSchedulesMax = 1'024;
inline constexpr size_t kScheduleRecordBytesMax = 16 * 1024;  // the record of the jobs that it makes
inline constexpr size_t kScheduleBytesMax = 1024 * 1024;      // the records of all schedules together
inline constexpr size_t kCronSpecBytesMax = 256;
inline constexpr size_t kZoneNameBytesMax = 64;
inline constexpr int64_t kCronIntervalSecondsMax = INT64_C(3650) * 86'400;
// Finished jobs of durability `memory` that are remembered, and the bytes of their payloads and results.
inline constexpr size_t kMemoryFinishedMax = 4'096;
inline constexpr size_t kMemoryFinishedBytesMax = 64 * 1024 * 1024;

// How long an idempotency key leads to its first job.
inline constexpr int64_t kIdempotencyKeptNs = INT64_C(24) * 3600 * 1'000'000'000;

// Figures per minute and per hour are shown for so long. Their rows may stay a little longer: a question that
// takes its time still finds the minutes it was meant for. 18 months are 550 days at most.
inline constexpr int64_t kMetricsMinutesNs = INT64_C(24) * 3600 * 1'000'000'000;
inline constexpr int64_t kMetricsHoursNs = INT64_C(550) * 24 * 3600 * 1'000'000'000;
inline constexpr int64_t kMetricsGraceNs = INT64_C(3600) * 1'000'000'000;
// Pairs of queue and type whose rows of this minute and hour are in memory; of more they are read from the
// store.
inline constexpr size_t kMetricsLinesMax = 4'096;

// One commit is closed when either part has grown to this; a single record may exceed it by itself.
inline constexpr size_t kCommitBlockBytes = 512 * 1024;
inline constexpr size_t kCommitEventBytes = 256 * 1024;

// Room for the fixed head and every string of a submit record beside its payload.
inline constexpr size_t kRecordOverheadMax = 8 * 1024;
static_assert(kRecordOverheadMax > 128 + 2 * kNameBytesMax + kMetadataBytesMax + 2 * kKeyBytesMax +
                                       kSubjectBytesMax + kTraceparentBytesMax);
static_assert(kUnixMsMax < INT64_MAX / 1'000'000 - INT64_C(2) * UINT32_MAX);  // two timeouts may be added
static_assert(kPriorityMin >= 1 && kPriorityMax < kRankCount);
static_assert(kPayloadBytesDefault <= kPayloadBytesMax);
static_assert(kSubscriptionsPerSessionMax <= 0x10000);  // their numbers have 16 bits
static_assert(kSubscriptionTypesMax <= kTypesPerUserMax);
// Whatever one user has, another finds as much.
static_assert(2 * kQueuesPerUserMax <= kQueuesMax && 2 * kTypesPerUserMax <= kTypesMax);
static_assert(kWatchesPerSessionMax <= kWatchesPerUserMax && 2 * kWatchesPerUserMax <= kWatchesMax);

}  // namespace pqd::limits
