// Clients that ask more than can be answered, in a whole daemon: what is taken of their questions, and who is
// answered beside them.
#include <atomic>
#include <thread>

#include "bindings/cpp/client.h"
#include "bindings/cpp/client_session.h"
#include "core/control_record.h"
#include "core/down_record.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr uint64_t kAsked = 2'000;
constexpr size_t kPayloadBytes = 200'000;
// As many answers of a small job as fill the ring twice, and some.
constexpr uint64_t kOpenMax = 10'000;
// Room for a million questions.
constexpr uint32_t kLargeLaneBytes = 64u << 20;

// A client that asks for the dead letter again and again.
class Asker {
 public:
  Asker(const std::string& socket, const JobId& id, uint32_t lane_bytes = 0) : id_(id) {
    Hello hello;
    if (lane_bytes != 0) hello.sizes.lane_bytes[lane_index(Lane::kControl)] = lane_bytes;
    auto opened = ClientSession::open(socket, hello, Deadline::in(std::chrono::milliseconds(kWatchdog)));
    if (opened) session_ = std::move(*opened);
  }
  bool open() const { return session_ != nullptr; }
  // False: there is no room in the lane.
  bool ask() {
    QueryHead head;
    head.kind = QueryKind::kDlqJob;
    head.id = id_;
    head.request = ++asked_;
    const Bytes record = write_query(head, {}, {});
    RingWriter& writer = session_->writer(Lane::kControl);
    const auto room = writer.reserve(static_cast<uint32_t>(record.size()));
    if (room.empty()) return false;
    std::ranges::copy(record, room.begin());
    writer.commit(static_cast<uint32_t>(record.size()));
    return true;
  }
  void publish() {
    session_->writer(Lane::kControl).publish();
    session_->bell.ring_if_sleeping();
  }
  // How many answers ended with what was there to read.
  uint64_t read() {
    uint64_t ended = 0;
    for (auto record = session_->answers.next(); !record.empty(); record = session_->answers.next()) {
      AnswerHead head;
      std::memcpy(&head, record.data(), sizeof head);
      ended += head.kind == AnswerKind::kEnd ? 1 : 0;
      session_->answers.release();
    }
    if (session_->down.header().outbox_blocked.load() != 0) session_->bell.ring_if_sleeping();
    return ended;
  }
  // So many of its questions were taken out of the lane.
  uint64_t taken() const { return load_watermarks(session_->down.lane(Lane::kControl)).applied; }
  bool engine_found_no_room() const { return session_->down.header().outbox_blocked.load() != 0; }

 private:
  JobId id_;
  std::unique_ptr<ClientSession> session_;
  uint64_t asked_ = 0;
};

class Questions : public WithDaemon {
 protected:
  void SetUp() override {
    WithDaemon::SetUp();
    auto client = Client::connect({.socket = daemon_.socket(), .answer_timeout_ms = 10'000});
    ASSERT_TRUE(client) << client.error().text;
    client_.emplace(std::move(*client));
    ASSERT_TRUE(client_->subscribe({.types = {"t"}}));
  }
  // A job that has failed for good.
  void make_dead_letter(size_t payload_bytes) {
    const std::string payload(payload_bytes, 'x');
    const auto ticket = client_->submit({.type = "t", .payload = as_bytes(payload)});
    ASSERT_TRUE(ticket) << ticket.error().text;
    dead_letter_ = ticket->id;
    const auto job = client_->next(kWatchdog);
    ASSERT_TRUE(job && *job);
    const auto failed = client_->fail(**job, "for good", false);
    ASSERT_TRUE(failed && client_->wait(*failed, kWatchdog));
  }
  void expect_an_answer() {
    const auto job = client_->get(dead_letter_);
    EXPECT_TRUE(job) << job.error().text;
  }

  std::optional<Client> client_;
  JobId dead_letter_;
};

TEST_F(Questions, OfAClientThatDoesNotReadAreTakenAsFarAsTheyCanBeHeldAndAllAnsweredOnceItReads) {
  make_dead_letter(kPayloadBytes);
  Asker asker(daemon_.socket(), dead_letter_);
  ASSERT_TRUE(asker.open());
  for (uint64_t i = 0; i < kAsked; ++i) ASSERT_TRUE(asker.ask());
  asker.publish();
  ASSERT_TRUE(eventually([&] { return asker.engine_found_no_room(); }));
  EXPECT_LE(asker.taken(), 100u) << "each comes to " << kPayloadBytes << " bytes";
  uint64_t answered = 0;
  EXPECT_TRUE(eventually([&] { return (answered += asker.read()) == kAsked; })) << answered;
}

TEST_F(Questions, InAStreamHoldUpNobodyElsesAndAreForgottenWithTheirClient) {
  make_dead_letter(8);
  // The next engine knows it from the store alone.
  daemon_.stop();
  ASSERT_TRUE(daemon_.start());
  std::optional<Asker> asker(std::in_place, daemon_.socket(), dead_letter_, kLargeLaneBytes);
  ASSERT_TRUE(asker->open());
  std::atomic<bool> over = false;
  std::atomic<uint64_t> answered = 0;
  while (asker->ask()) {
  }
  asker->publish();
  std::thread stream([&] {
    while (!over) {
      answered += asker->read();
      if (asker->ask()) asker->publish();
    }
  });
  EXPECT_TRUE(eventually([&] { return answered > 100; }));
  uint64_t open_max = 0;
  for (int i = 0; i < 5; ++i) {
    expect_an_answer();
    const uint64_t taken = asker->taken();
    open_max = std::max(open_max, taken - std::min<uint64_t>(taken, answered));
  }
  EXPECT_LE(open_max, kOpenMax);
  over = true;
  stream.join();
  asker.reset();
  expect_an_answer();
}

}  // namespace
}  // namespace pqd::test
