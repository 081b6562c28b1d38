// A client that changes a record's size while the engine reads it. Loaded once, checked and copied, a size is
// what it was when it was looked at; loaded twice it may be anything by then. The planted fault does that.
#include <gtest/gtest.h>
#include <poll.h>

#include <cstring>

#include "bindings/cpp/client_session.h"
#include "core/control_record.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"
#include "tests/support/load/load_history.h"
#include "tests/support/process.h"

namespace pqd::test {
namespace {

constexpr uint32_t kRecordBytes = 32'768;          // long to copy: time for the client to change the size
constexpr uint32_t kRecords = 16;                  // a session
constexpr uint32_t kImpossibleBytes = 0x7FFFFFF0;  // who believes it reads far outside of the copy
constexpr int kSessions = 60;

// Until the daemon has closed the session, or has read all of it.
void flip_sizes(ClientSession& session) {
  RingWriter& writer = session.writer(Lane::kControl);
  std::vector<uint32_t*> sizes;
  for (uint32_t i = 0; i < kRecords; ++i) {
    const auto room = writer.reserve(kRecordBytes);
    QueryHead query;
    query.head.size_bytes = kRecordBytes;
    query.head.kind = static_cast<uint8_t>(RecordKind::kQuery);
    std::memcpy(room.data(), &query, sizeof query);
    sizes.push_back(reinterpret_cast<uint32_t*>(room.data()));
    writer.commit(kRecordBytes);
  }
  writer.publish();
  const uint64_t end = writer.published();
  session.bell.ring_if_sleeping();
  pollfd closed{session.socket.get(), POLLIN, 0};
  // No sleep in between: the engine looks for some microseconds.
  for (const Deadline watchdog = Deadline::in(kWatchdog); !watchdog.passed();) {
    for (int turn = 0; turn < 200; ++turn)
      for (uint32_t* size : sizes)
        __atomic_store_n(size, turn % 2 == 0 ? kImpossibleBytes : kRecordBytes, __ATOMIC_RELAXED);
    const auto read = session.down.lane(Lane::kControl).head.load(std::memory_order_acquire);
    if (read == end || ::poll(&closed, 1, 0) != 0) return;
  }
}

// One session after the other: as a rule the first change that is seen ends it.
int flip(const Forked::Say& say, const std::string& socket) {
  for (int i = 0; i < kSessions; ++i) {
    auto session = ClientSession::open(socket, Hello(), Deadline::in(kWatchdog));
    if (!session) return say(session.error().text), 1;
    flip_sizes(**session);
  }
  return 0;
}

// Until the client has had its sessions, or the engine is another one: its pid before and after.
std::pair<pid_t, pid_t> attack(pid_t supervisor, const std::string& socket) {
  const auto engine = [supervisor] { return child_named(supervisor, "pqd-engine"); };
  const pid_t before = engine();
  Forked client([&](const Forked::Say& say) { return flip(say, socket); });
  eventually([&] { return !client.running() || engine() != before; });
  if (client.running()) {
    client.kill_and_wait();
  } else {
    EXPECT_EQ(client.wait(), 0) << client.hear();
  }
  return {before, engine()};
}

TEST(DoubleFetch, CannotBeOfASizeThatIsLoadedOnceAndOthersGoOn) {
  Daemon daemon(kLoadConfig, {}, PQD_BIN_DIR "/hooked");
  ASSERT_TRUE(daemon.start());
  Load load(daemon.socket(), {});
  const auto [before, after] = attack(daemon.pid(), daemon.socket());
  EXPECT_EQ(before, after) << daemon.log();
  EXPECT_NE(daemon.log().find("broke the rules of its rings: a record is "), std::string::npos)
      << "no change was ever seen";
  ASSERT_EQ(load.finish(), "");
  EXPECT_EQ(judge(load).broken, std::vector<std::string>());
}

// Without the class Daemon, which fails a test whose engine a sanitizer ends.
TEST(DoubleFetch, ThatIsPlantedEndsTheEngine) {
  TempDir directory;
  Program daemon({PQD_BIN_DIR "/hooked/pqd", "--dev", "--dir", directory.path("pqd")},
                 {"PQD_CANARY=size-loaded-twice"});
  ASSERT_TRUE(daemon.says("pqd is ready")) << daemon.err();
  const auto [before, after] = attack(daemon.pid(), directory.path("pqd/pqd.sock"));
  EXPECT_NE(before, after) << "it was not found in " << kSessions << " sessions";
}

}  // namespace
}  // namespace pqd::test
