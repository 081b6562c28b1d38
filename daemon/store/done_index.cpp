#include "daemon/store/done_index.h"

#include <algorithm>

namespace pqd {
namespace {

using Fields = std::array<uint32_t, DoneGroup::kFields>;

Fields fields_of(const DoneGroup& group) { return {group.state, group.queue, group.type, group.owner_uid}; }
DoneGroup group_of(const Fields& fields) {
  return {static_cast<uint8_t>(fields[0]), fields[1], fields[2], fields[3]};
}
constexpr Fields kFieldsMax{kJobStateCount - 1, UINT32_MAX, UINT32_MAX, UINT32_MAX};

// The least value of the field from `from` on that the filter takes.
std::optional<uint32_t> at_least(const JobFilter& filter, size_t field, uint32_t from) {
  if (field == 0) {
    for (uint32_t state = from; state <= kFieldsMax[0]; ++state)
      if (filter.states == 0 || (filter.states >> state & 1) != 0) return state;
    return std::nullopt;
  }
  const std::optional<uint32_t> wanted = field == 1   ? filter.queue
                                         : field == 2 ? filter.type
                                                      : filter.owner_uid;
  if (!wanted) return from;
  return *wanted >= from ? wanted : std::nullopt;
}

// Counts the fields before `field` up by one, from the right, and sets the others to 0.
bool carry(Fields& fields, size_t field) {
  for (size_t i = field; i < fields.size(); ++i) fields[i] = 0;
  while (field-- > 0) {
    if (fields[field] < kFieldsMax[field]) {
      ++fields[field];
      return true;
    }
    fields[field] = 0;
  }
  return false;
}

}  // namespace

bool DoneGroup::matches(const JobFilter& filter) const { return first_match(filter) == *this; }

std::optional<DoneGroup> DoneGroup::first_match(const JobFilter& filter) const {
  Fields fields = fields_of(*this);
  for (size_t field = 0; field < kFields;) {
    const auto value = at_least(filter, field, fields[field]);
    if (!value) {
      // A carry may move any field before this one: all are judged again.
      if (!carry(fields, field)) return std::nullopt;
      field = 0;
      continue;
    }
    if (*value != fields[field]) {
      fields[field] = *value;
      for (size_t i = field + 1; i < kFields; ++i) fields[i] = 0;
    }
    ++field;
  }
  return group_of(fields);
}

std::optional<DoneGroup> DoneGroup::next() const {
  Fields fields = fields_of(*this);
  if (!carry(fields, kFields)) return std::nullopt;
  return group_of(fields);
}

DoneGroupBytes write_done_group(const DoneGroup& group) {
  DoneGroupBytes bytes;
  bytes[0] = static_cast<std::byte>(group.state);
  keys::put_big32(group.queue, &bytes[1]);
  keys::put_big32(group.type, &bytes[5]);
  keys::put_big32(group.owner_uid, &bytes[9]);
  return bytes;
}

std::optional<DoneGroup> read_done_group(ByteView bytes) {
  if (bytes.size() < sizeof(DoneGroupBytes)) return std::nullopt;
  const std::byte* in = bytes.data();
  return DoneGroup{static_cast<uint8_t>(in[0]), keys::get_big32(in + 1), keys::get_big32(in + 5),
                   keys::get_big32(in + 9)};
}

DoneKeyBytes write_done_key(const DoneKey& key) {
  DoneKeyBytes bytes;
  std::ranges::copy(write_done_group(key.group), bytes.begin());
  keys::put_big(key.id.high, &bytes[13]);
  keys::put_big(key.id.low, &bytes[21]);
  return bytes;
}

std::optional<DoneKey> read_done_key(ByteView bytes) {
  const auto group = read_done_group(bytes);
  if (!group || bytes.size() != sizeof(DoneKeyBytes)) return std::nullopt;
  return DoneKey{*group, {keys::get_big(&bytes[13]), keys::get_big(&bytes[21])}};
}

}  // namespace pqd
