// A client that comes back while its earlier session is still there, with records in its lanes that nobody
// has taken: they are the next session's to send again, and stop no engine.
#include <poll.h>

#include <filesystem>
#include <future>

#include "bindings/cpp/client_session.h"
#include "core/control_record.h"
#include "core/down_record.h"
#include "core/submit_record.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

using Patience = std::chrono::milliseconds;
using Opened = Result<std::unique_ptr<ClientSession>>;

class ResumedSession : public WithDaemon {
 protected:
  void SetUp() override {
    WithDaemon::SetUp();
    auto opened = open({});
    ASSERT_TRUE(opened) << opened.error().text;
    earlier_ = std::move(*opened);
  }

  Opened open(const Hello& hello) {
    return ClientSession::open(daemon_.socket(), hello, Deadline::in(Patience(kWatchdog)));
  }
  Hello resuming() const {
    Hello hello;
    hello.resume_session = earlier_->welcome.session;
    hello.resume_secret = earlier_->welcome.secret;
    return hello;
  }
  void publish(Lane lane, ByteView record) {
    RingWriter& writer = earlier_->writer(lane);
    const auto room = writer.reserve(static_cast<uint32_t>(record.size()));
    ASSERT_FALSE(room.empty());
    std::ranges::copy(record, room.begin());
    writer.commit(static_cast<uint32_t>(record.size()));
    writer.publish();
  }
  // A submit and a command, without a ring at the engine's door.
  void leave_records_behind(uint32_t processing_timeout_ms = kTimeoutDefault) {
    SubmitView view;
    view.head.id = earlier_->next_id(Lane::kNormal);
    view.head.processing_timeout_ms = processing_timeout_ms;
    view.queue = "default";
    view.type = "t";
    Bytes submit(submit_record_bytes(view));
    write_submit_record(view, submit);
    publish(Lane::kNormal, submit);
    publish(Lane::kControl, write_subscribe({1, 1, "default", {}}));
  }
  // The next thing of this kind in the deliveries ring, which has to come; others are passed over.
  static DeliveryHead await(ClientSession& session, DownKind wanted) {
    DeliveryHead head;
    const bool came = eventually([&] {
      const auto record = read_delivery_record(session.deliveries.next());
      if (record) head = record->head;
      session.deliveries.release();
      return record && static_cast<DownKind>(head.head.kind) == wanted;
    });
    EXPECT_TRUE(came) << "nothing of kind " << static_cast<int>(wanted);
    return head;
  }
  bool engine_sleeps() const {
    // relaxed: only a look; odd is armed.
    return earlier_->wake.page().sleeping.load(std::memory_order_relaxed) % 2 == 1;
  }
  void expect_taken_over(const Opened& later) {
    ASSERT_TRUE(later) << later.error().text;
    EXPECT_EQ((*later)->welcome.resumed, 1u);
    for (const Lane lane : {Lane::kNormal, Lane::kControl})
      EXPECT_EQ(load_watermarks(earlier_->down.lane(lane)).applied, 0u) << "nobody reads there any more";
    pollfd closed{earlier_->socket.get(), POLLIN | POLLRDHUP, 0};
    EXPECT_EQ(::poll(&closed, 1, static_cast<int>(Patience(kWatchdog).count())), 1) << "it is ended";
    EXPECT_EQ(daemon_.log().find("broke the rules"), std::string::npos) << daemon_.log();
  }
  size_t descriptors_of_daemon() const {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(daemon_.pid()) + "/fd");
    return static_cast<size_t>(std::distance(begin(all), end(all)));
  }

  std::unique_ptr<ClientSession> earlier_;
};

TEST_F(ResumedSession, LeavesRecordsBehindThatStopNoEngine) {
  const pid_t engine = daemon_.engine();
  ASSERT_TRUE(eventually([&] { return engine_sleeps(); }));
  leave_records_behind();
  expect_taken_over(open(resuming()));
  EXPECT_EQ(daemon_.engine(), engine) << "it died of them";
}

TEST_F(ResumedSession, LeavesRecordsBehindThatStopNoEngineWhichFindsBothSessions) {
  ASSERT_TRUE(daemon_.freeze_engine());
  leave_records_behind();
  const size_t before = descriptors_of_daemon();
  auto later = std::async(std::launch::async, [&] { return open(resuming()); });
  // The session's socket, files and doorbells: the next engine is told of it.
  ASSERT_TRUE(eventually([&] { return descriptors_of_daemon() >= before + kSessionFdCount; }));
  const pid_t killed = daemon_.kill_engine();
  pid_t next = 0;
  ASSERT_TRUE(eventually([&] { return (next = daemon_.engine()) != killed; }));
  expect_taken_over(later.get());
  EXPECT_EQ(daemon_.engine(), next) << "it died of them";
}

// Whoever has left a session does not read what is still written there.
TEST_F(ResumedSession, IsToldOfALeaseWhoseEndItsClientLeftUnread) {
  leave_records_behind(100);
  earlier_->bell.ring_if_sleeping();
  const DeliveryHead delivery = await(*earlier_, DownKind::kDelivery);
  const DeliveryHead unread = await(*earlier_, DownKind::kCancelNotice);
  ASSERT_EQ(unread.token, delivery.token);
  Hello hello = resuming();
  hello.deliveries_seen = delivery.number;
  const auto later = open(hello);
  ASSERT_TRUE(later) << later.error().text;
  ASSERT_EQ((*later)->welcome.resumed, 1u);
  EXPECT_EQ(await(**later, DownKind::kCancelNotice).token, delivery.token);
}

}  // namespace
}  // namespace pqd::test
