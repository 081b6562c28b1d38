// A way through the finished jobs that a filter takes, newest first, over the index of finished jobs. First
// it finds the groups that match, leaping over the others; then it always takes the newest id of all groups.
// It sees the store as it stood when it began. What it does in one step is bounded by rows, not by what is
// there. Belongs to one thread; must go before the store.
#pragma once

#include <memory>
#include <vector>

#include "daemon/store/done_index.h"
#include "daemon/store/store.h"

namespace rocksdb {
class Iterator;
}

namespace pqd {

// The least group that is not below `from` and has a job in one of these: the index, and its packs.
StoreResult<std::optional<DoneGroup>> next_group(rocksdb::Iterator& singles, rocksdb::Iterator& packs,
                                                 const DoneGroup& from);

class DoneCursor {
 public:
  DoneCursor(const Store& store, const JobFilter& filter);
  ~DoneCursor();
  DoneCursor(const DoneCursor&) = delete;
  DoneCursor& operator=(const DoneCursor&) = delete;

  // Adds the next ids to `ids`, at most `ids_max`; looks at `rows_max` rows of the index at most, and takes
  // those that it saw off it. A row may have been redriven since: whoever reads it looks again.
  StoreResult<void> step(size_t ids_max, size_t& rows_max, std::vector<JobId>& ids);
  bool finished() const { return found_all_groups_ && heads_.empty(); }
  size_t group_count() const { return groups_.size(); }

 private:
  struct Head {
    JobId id;
    uint32_t group = 0;
    friend auto operator<=>(const Head&, const Head&) = default;
  };
  struct Ahead {
    DoneGroup group;
    std::vector<JobId> ids;  // read and not taken, oldest first
    size_t read = 1;         // how many to read the next time: more each time, so that most seeks pay
  };

  // Leaps to the next group that is there and matches; false when there is none, or behind an error.
  bool find_group();
  // Reads the group's next ids; how many.
  size_t read_on(uint32_t group, const JobId& below);
  void add_head(uint32_t group);

  JobFilter filter_;
  JobId below_;
  std::unique_ptr<rocksdb::Iterator> singles_;
  std::unique_ptr<rocksdb::Iterator> packs_;
  StoreResult<void> read_;
  std::optional<DoneGroup> search_from_;
  bool found_all_groups_ = false;
  std::vector<Ahead> groups_;
  std::vector<Head> heads_;  // a heap, the newest on top
};

}  // namespace pqd
