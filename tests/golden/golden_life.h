// A short life of a store with a bit of everything that a store can hold, the same each time: the real
// broker, led by hand through it, and what its store must come to. Add to its end when there is something new
// to hold, and make a new golden store with it.
#pragma once

#include "core/broker.h"
#include "tests/golden/store_text.h"

namespace pqd::test {

class GoldenLife final : private FinishedJobs {
 public:
  GoldenLife();

  // The next commit of the life; nothing when it is over.
  std::optional<Commit> next();
  // What the store of all commits so far holds.
  StorePicture picture() const;

 private:
  using Turn = void (GoldenLife::*)();

  std::optional<JobRow> find_finished(const JobId& id) override;
  std::optional<KeptKey> find_key(const ShortHash& /*key*/) override { return std::nullopt; }

  void open();
  void submit_each_kind();
  void settle_each_way();
  void command();
  void leave_work();

  JobId submit(SubmitView view, std::string_view payload, uint8_t flags = 0);
  void settle(Slot slot, RecordKind kind, std::string_view body, uint16_t flags = 0);
  std::vector<Slot> in_hand(SessionNo session) const;
  void note_endings();

  State state_;
  Broker broker_;
  CommitBuilder* builder_ = nullptr;  // of the commit in hand
  TimeNs now_ = 1'790'000'000 * kSecondNs;
  size_t turn_ = 0;
  uint64_t last_number_ = 0;
  ChainHash last_hash_{};
  uint64_t submits_ = 0;
  uint64_t controls_ = 0;
  std::map<JobId, Bytes> finished_;
  std::map<JobNo, JobId> dead_letters_;
};

}  // namespace pqd::test
