// The index of finished jobs: one key a job, without a value, in groups of equal (state, queue, type, owner)
// and by id within a group. Any filter by these is a union of whole groups, so that a list sees only the rows
// that it shows and, for each group, one more; ids are times, so that a page, a beginning and an end are
// seeks. One key serves all filters, where one for each field would cost a write each. Those of a pack that
// are of one group share a key, in a family beside (`index_packs`): its value is their ids. Private to
// daemon/store.
#pragma once

#include <array>
#include <optional>

#include "core/job_filter.h"
#include "daemon/store/keys.h"

namespace pqd {

// Fields in the order of the key.
struct DoneGroup {
  static constexpr size_t kFields = 4;
  static constexpr size_t kKeyBytes = 13;

  uint8_t state = 0;
  QueueNo queue = 0;
  TypeNo type = 0;
  uint32_t owner_uid = 0;

  static DoneGroup of(const JobCore& job) {
    return {static_cast<uint8_t>(job.state), job.queue, job.type, job.owner_uid};
  }
  bool matches(const JobFilter& filter) const;
  // The least group that is not below this one and matches; nothing = there is none.
  std::optional<DoneGroup> first_match(const JobFilter& filter) const;
  // The group behind this one; nothing = this is the last that can be.
  std::optional<DoneGroup> next() const;

  friend auto operator<=>(const DoneGroup&, const DoneGroup&) = default;
};

struct DoneKey {
  DoneGroup group;
  JobId id;
};

using DoneGroupBytes = std::array<std::byte, DoneGroup::kKeyBytes>;
DoneGroupBytes write_done_group(const DoneGroup& group);
// Of the key's first bytes.
std::optional<DoneGroup> read_done_group(ByteView bytes);

using DoneKeyBytes = std::array<std::byte, DoneGroup::kKeyBytes + 16>;
DoneKeyBytes write_done_key(const DoneKey& key);
std::optional<DoneKey> read_done_key(ByteView bytes);

}  // namespace pqd
