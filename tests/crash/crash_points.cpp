// The table of crash points, and what happens at one. Linked into the copies of the programs that have them.
#include "shm/crash_point.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "shm/unique_fd.h"
#include "tests/crash/crash_board.h"

namespace pqd {

void crash_point_reached(std::string_view name);
void crash_point_reached(std::string_view name) {
  // Cached only once it is there: the process that forks those with a board may have none itself.
  static std::atomic<test::CrashBoard*> known{nullptr};
  test::CrashBoard* board = known.load(std::memory_order_acquire);
  if (board == nullptr) {
    const char* path = std::getenv(test::kCrashBoardVariable);
    if (path == nullptr) return;
    board = test::map_crash_board(path);
    if (board == nullptr) std::abort();
    known.store(board, std::memory_order_release);
  }
  const auto& all = test::crash_points();
  const auto at = std::ranges::find(all, name);
  if (at == all.end()) std::abort();  // it is missing from the table
  const auto number = static_cast<uint32_t>(at - all.begin()) + 1;
  board->reached[number - 1].fetch_add(1, std::memory_order_relaxed);
  if (board->armed.load(std::memory_order_relaxed) != number) return;
  if (board->left.fetch_sub(1, std::memory_order_relaxed) == 1) {
    board->dying.store(::getpid(), std::memory_order_relaxed);
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }
}

// For the copies of sources that have planted faults, see core/canary.h.
bool canary_planted(std::string_view name);
bool canary_planted(std::string_view name) {
  static const char* const planted = std::getenv("PQD_CANARY");
  return planted != nullptr && name == planted;
}

}  // namespace pqd

namespace pqd::test {

const std::vector<std::string_view>& crash_points() {
  static const std::vector<std::string_view> all = {
      // bindings/cpp/client_submit.cpp
      "submit-written",
      "submit-published",
      "submit-rung",
      "batch-written",
      "batch-published",
      // daemon/supervisor/state_file.cpp
      "state-file-written",
      "state-file-renamed",
      // daemon/supervisor/reception_open.cpp
      "session-equipped",
      "session-granted",
      "session-before-welcome",
      "session-welcomed",
      // daemon/supervisor/engine_process.cpp
      "engine-forked",
      "engine-ready-heard",
      "engine-death-seen",
      // daemon/supervisor/session_table.cpp
      "session-before-end",
      "session-ended",
      // daemon/engine/engine.cpp
      "start-store-open",
      "start-epoch-taken",
      "start-recovered",
      "start-goes-on",
      "start-sessions-mapped",
      "start-turn-handed",
      "start-turn-durable",
      "start-sessions-served",
      "start-ready",
      // daemon/engine/session_port.cpp
      "epoch-before-announced",
      "epoch-announced",
      // daemon/engine/worker.cpp
      "engine-awake",
      "turn-handed",
      "turn-drained",
      "turn-before-closing-sessions",
      "turn-sessions-closed",
      "turn-ended",
      "session-served",
      "session-resumed",
      "session-before-removal",
      "session-removed",
      "session-durable",
      "session-told-ready",
      "engine-before-arming",
      "engine-armed",
      // daemon/engine/committer.cpp
      "commit-before-append",
      "commit-appended",
      "commit-called-written",
      "commit-before-sync",
      "commit-synced",
      "commit-called-synced",
      "commit-handed-to-checkpoint",
      // daemon/engine/session_outbox.cpp
      "receipts-written",
      "receipts-published",
      "watermark-due",
      "watermark-published",
      "deliveries-written",
      "deliveries-published",
      "deliveries-counted",
      "answer-written",
      "answers-published",
      // shm/watermarks.h
      "watermark-applied",
      "watermark-written",
      "watermark-synced",
      "read-point-half",
      "read-point-whole",
      // shm/doorbell.cpp
      "engine-found-asleep",
      "engine-rung",
      "client-found-asleep",
      "client-rung",
      // daemon/store/store.cpp
      "store-before-write",
      "store-written",
      "store-before-sync",
      "store-synced",
      "checkpoint-before-sync",
      "checkpoint-piece-written",
      // daemon/store/recovery.cpp
      "recovery-tables-read",
      "recovery-rows-restored",
      "recovery-tail-replayed",
      // daemon/store/record_reader.cpp
      "records-read-back",
      // daemon/store/checkpointer.cpp
      "witness-due",
      "witness-written",
      "checkpoint-due",
      "checkpoint-written",
      "checkpoint-covered",
      // bindings/cpp/client_wait.cpp
      "receipts-read",
      "receipts-given-back",
      "delivery-read",
      "delivery-given-back",
      "client-before-arming",
      "client-armed",
      // bindings/cpp/client_command.cpp
      "settlement-written",
      "settlement-published",
      "settlement-rung",
      // bindings/cpp/client_reconnect.cpp
      "handover-welcomed",
      "handover-resubmitted",
      // From here on under somebody who keeps descriptors.
      // daemon/supervisor/fd_store.cpp
      "kept-before-session",
      "kept-half-a-session",
      "kept-session",
      "kept-down-before-exchange",
      "kept-down-half-exchanged",
      "kept-down-exchanged",
      "kept-before-forgetting",
      "kept-forgotten",
      // daemon/supervisor/supervisor_create.cpp
      "kept-taken-back",
      // daemon/supervisor/reception_return.cpp
      "kept-session-renewed",
      // bindings/cpp/client_wait.cpp
      "kept-renewal-heard",
      "kept-renewal-taken",
  };
  return all;
}

CrashBoard* map_crash_board(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  void* page = ::mmap(nullptr, sizeof(CrashBoard), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  return page == MAP_FAILED ? nullptr : static_cast<CrashBoard*>(page);
}

}  // namespace pqd::test
