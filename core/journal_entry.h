// One commit as the journal keeps it: a fixed head, then the events' bytes. Entries are chained: each head
// holds the hash of the entry before it, so that an edit, a gap or a reordering shows. Pure functions; any
// thread.
#pragma once

#include <array>
#include <expected>
#include <string_view>

#include "core/bytes.h"

namespace pqd {

using ChainHash = std::array<uint8_t, 32>;  // SHA-256

struct EntryHead {
  uint32_t magic = 0x4A445150;  // "PQDJ"
  uint16_t version = 1;
  uint16_t reserved = 0;
  uint64_t number = 0;  // of the commit: 1, 2, 3 ... over the life of a store
  int64_t now_ns = 0;   // the broker's clock at the first event
  uint32_t event_count = 0;
  uint32_t event_bytes = 0;
  uint64_t block_bytes = 0;
  ChainHash previous{};
};
static_assert(sizeof(EntryHead) == 72);

struct EntryView {
  EntryHead head;
  ByteView events;
};

// SHA-256 over the whole entry, head included: the `previous` of its successor.
ChainHash entry_hash(ByteView entry);

// Splits an entry; the error is a sentence that says what is wrong with its frame.
std::expected<EntryView, std::string_view> read_entry(ByteView entry);

}  // namespace pqd
