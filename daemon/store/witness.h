// A second witness of how far the journal got: number and chain hash of a synced commit, in a small file of
// their own, two slots written in turn so that a torn write leaves the other. It lags behind by at most one
// writing (the window is in README.md). Recovered state behind the witness means that history was lost: the
// daemon halts rather than serve it.
#pragma once

#include <optional>
#include <string>

#include "core/journal_entry.h"
#include "core/partition.h"
#include "daemon/store/store_error.h"
#include "shm/unique_fd.h"

namespace pqd {

struct Testimony {
  uint64_t commit = 0;
  ChainHash hash{};
};

class Witness {
 public:
  // Opens or makes the file `witness` in the directory, of a partition behind the first `witness.1`, ...
  static StoreResult<Witness> open(const std::string& directory, PartitionNo partition = 0);

  // The latest testimony in the directory, and no file made; nothing where there is none.
  static StoreResult<std::optional<Testimony>> read(const std::string& directory, PartitionNo partition = 0);

  // The latest testimony that is whole; nothing in a fresh file. Two damaged slots: an error.
  const std::optional<Testimony>& testimony() const { return latest_; }

  // Writes and syncs; called off the acknowledgement path. One thread at a time.
  StoreResult<void> record(const Testimony& testimony);

 private:
  explicit Witness(UniqueFd fd) : fd_(std::move(fd)) {}
  StoreResult<void> read_slots(const std::string& path);

  UniqueFd fd_;
  std::optional<Testimony> latest_;
  uint64_t turn_ = 0;
};

}  // namespace pqd
