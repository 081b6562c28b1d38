// Watches that are under way, and the events that came for them and nobody has taken. Not journaled by the
// daemon: after a change of engine or a reconnect they are begun again under a new number, and the first
// event then is a gap that says so. What comes faster than it is taken is left out and counted. One thread.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "bindings/cpp/failure.h"
#include "core/job_event.h"
#include "core/watch_record.h"

namespace pqd {

class ClientWatches {
 public:
  using Handle = uint32_t;
  static constexpr size_t kWaitingMax = 16'384;

  enum class Phase : uint8_t { kAsked, kBegun, kEnded };

  // REQUIRES: !has(handle).
  void add(Handle handle, const WatchHead& head, std::string_view queue, std::string_view type);
  // Events of it that nobody has taken go with it. The record that tells the daemon; nothing = it knows of
  // none.
  std::optional<Bytes> drop(Handle handle);
  bool has(Handle handle) const { return open_.contains(handle); }
  Phase phase(Handle handle) const { return open_.at(handle).phase; }
  // Why one has ended that was to go on.
  const Failure& failure(Handle handle) const { return open_.at(handle).failure; }
  // The first one that the daemon has ended by itself.
  std::optional<Handle> failed() const;

  bool empty() const { return waiting_.empty(); }
  // When the first of them happened; REQUIRES: !empty().
  TimeNs first_ns() const { return waiting_.front().when_ns; }
  std::optional<JobEvent> pop();
  // Those of one watch.
  std::vector<JobEvent> take_all(Handle handle);

  // Every one that has not ended has to be begun again.
  void begin_again();
  template <class Send>
  void send_all(Send send) {
    for (auto& [handle, watch] : open_) {
      if (watch.sent || watch.phase == Phase::kEnded) continue;
      watch.head.request = kRequestBit | next_request_;
      if (!send(ByteView(write_watch(watch.head, watch.queue, watch.type)))) return;
      ++next_request_;
      watch.sent = true;
    }
  }
  // One record of the answers ring; false when it is of a question.
  bool receive(ByteView record);

 private:
  // Questions count their requests from one on.
  static constexpr uint64_t kRequestBit = uint64_t{1} << 63;

  struct Open {
    WatchHead head;
    std::string queue;
    std::string type;
    Phase phase = Phase::kAsked;
    bool sent = false;
    Failure failure{Error::kOk, {}, 0};
  };

  void take(Handle handle, Open& watch, JobEvent event);

  std::map<Handle, Open> open_;
  uint64_t next_request_ = 1;
  std::deque<JobEvent> waiting_;
};

}  // namespace pqd
