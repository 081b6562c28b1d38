#include "core/journal_entry.h"

#include "core/sha256.h"

namespace pqd {

ChainHash entry_hash(ByteView entry) {
  ChainHash hash;
  static_assert(sizeof hash == kSha256Bytes);
  sha256(entry, hash.data());
  return hash;
}

std::expected<EntryView, std::string_view> read_entry(ByteView entry) {
  if (entry.size() < sizeof(EntryHead)) return std::unexpected("the entry is shorter than its head");
  EntryView view;
  std::memcpy(&view.head, entry.data(), sizeof(EntryHead));
  if (view.head.magic != EntryHead{}.magic) return std::unexpected("the entry has no journal magic");
  if (view.head.version != EntryHead{}.version) return std::unexpected("the entry's version is not known");
  view.events = entry.subspan(sizeof(EntryHead));
  if (view.events.size() != view.head.event_bytes)
    return std::unexpected("the entry's length is not what it says");
  return view;
}

}  // namespace pqd
