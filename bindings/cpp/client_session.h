// One session with the daemon: the socket that stands for it, its two memory files mapped, and the ends of
// every ring. A plain bundle that ClientCore works on, replaced as a whole by a reconnect. One thread.
#pragma once

#include <memory>

#include "bindings/cpp/deadline.h"
#include "bindings/cpp/failure.h"
#include "core/job.h"
#include "shm/doorbell.h"
#include "shm/handshake.h"
#include "shm/receipts.h"
#include "shm/ring.h"
#include "shm/segment.h"
#include "shm/watermarks.h"

namespace pqd {

inline constexpr size_t kDurabilityCount = 3;

struct ClientSession {
  // Connects, shakes hands, maps. The failures are those of Client::connect().
  static Result<std::unique_ptr<ClientSession>> open(const std::string& path, const Hello& hello,
                                                     Deadline deadline);

  // The sequences of a lane, as far as this client has seen them.
  struct LaneState {
    uint64_t sent = 0;                               // the number of the last record published
    std::array<uint64_t, kDurabilityCount> last{};   // of the last record per durability
    std::array<uint64_t, kDurabilityCount> marks{};  // watermark per durability; never goes back
    uint64_t counter = 0;                            // of the last job id made

    bool all_decided() const { return last[0] <= marks[0] && last[1] <= marks[1] && last[2] <= marks[2]; }
  };

  RingWriter& writer(Lane lane) { return writers[lane_index(lane)]; }
  LaneState& lane(Lane lane) { return lanes[lane_index(lane)]; }
  JobId next_id(Lane lane);
  // Counts a record that was published, and returns its number.
  uint64_t count(Lane lane, Durability durability) {
    LaneState& state = lanes[lane_index(lane)];
    return state.last[static_cast<size_t>(durability)] = ++state.sent;
  }
  // A new supervisor's files in place of the earlier one's, at the same addresses. After an error nothing is
  // to be believed of Down any more.
  Result<void> renew(const RenewalFds& fds);
  // The end of it for the daemon, also when a forked child has a copy of the socket. Never in the child.
  void hang_up();
  // Takes the watermarks over; true when one has moved.
  bool load_marks();

  UniqueFd socket;
  UniqueFd client_doorbell;
  UniqueFd engine_doorbell;
  Welcome welcome;
  UpSegment up;
  DownSegment down;
  WakeSegment wake;
  std::array<RingWriter, kLaneCount> writers;
  std::array<LaneState, kLaneCount> lanes;
  ReceiptReader receipts;
  TrustingRingReader deliveries;
  TrustingRingReader answers;
  EngineBell bell;
  Waiter waiter;
  uint64_t deliveries_seen = 0;  // the number of the last delivery taken

 private:
  Result<void> map(SessionFds fds);
  void attach();
};

}  // namespace pqd
