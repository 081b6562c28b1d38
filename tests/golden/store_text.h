// What a store holds, in lines that a person can read and two versions of pqd can be compared by. Written by
// whoever made the store, of what it knew; and by the test, of what it found.
#pragma once

#include <map>
#include <string>

#include "core/journal_entry.h"
#include "core/state.h"

namespace pqd::test {

struct StorePicture {
  uint64_t last_commit = 0;
  ChainHash last_hash{};
  Tables tables;
  std::map<JobNo, Bytes> live;  // rows
  std::map<JobId, Bytes> finished;
  std::map<JobNo, JobId> dead_letters;
  std::map<ShortHash, KeptKey> keys;

  std::string text() const;
};

// The rows of the jobs that live there.
std::map<JobNo, Bytes> live_rows_of(const State& state);

}  // namespace pqd::test
