// Makes a golden session with the code that it is built with: make_session NAME writes NAME.up, what a client
// of today writes, and NAME.down, what the daemon of today (beside this program) writes for it.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>

#include "core/control_record.h"
#include "core/schedule_record.h"
#include "core/watch_record.h"
#include "shm/handshake.h"
#include "tests/golden/session_play.h"
#include "tests/support/daemon.h"

namespace pqd::test {
namespace {

std::string hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return text;
}

template <class Pod>
std::string hex_of(const Pod& pod) {
  return hex(std::as_bytes(std::span(&pod, 1)));
}

constexpr size_t kControl = lane_index(Lane::kControl);

class Script {
 public:
  const std::string& text() const { return text_; }

  void note(const std::string& words) { text_ += "# " + words + "\n"; }
  void hello() { say(golden_hello()); }
  // What a client does whose daemon has gone: from here on {was ...} is what belongs to the session so far.
  void resume(uint64_t deliveries_seen) {
    text_ += "restart\n";
    for (auto& [found, name] : names_) name.insert(1, "was ");
    Hello hello = golden_hello();
    hello.resume_session = 0x5E55'5E55'5E55'5E55u;
    hello.resume_secret.fill(0x5E);
    hello.deliveries_seen = deliveries_seen;
    names_[hex_of(hello.resume_session)] = "{session}";
    names_[hex_of(hello.resume_secret)] = "{secret}";
    counters_ = {};
    receipts_ = deliveries_ = answers_ = 0;
    ++session_;
    say(hello);
  }
  void wait_receipts(size_t more = 1) { wait("receipts", receipts_ += more); }
  void wait_deliveries(size_t more = 1) { wait("deliveries", deliveries_ += more); }
  void wait_answer() { wait("answers", ++answers_); }
  void send(size_t lane, const Bytes& record, bool hold = false) {
    text_ += (hold ? "hold " : "") + std::to_string(lane) + " " + named(hex(record)) + "\n";
  }
  void control(const std::string& words, const Bytes& record) {
    note(words);
    send(kControl, record);
  }
  // The n-th job of a lane, in the place of whose id the player puts the true one.
  JobId id(size_t lane, uint64_t counter) {
    const JobId mark{0x1D1D'0000'0000'0000u + (session_ << 8) + lane, 0x1D1D'0000'0000'0000u + counter};
    names_[hex_of(mark)] = "{id " + std::to_string(lane) + "." + std::to_string(counter) + "}";
    return mark;
  }
  LeaseToken token(uint64_t delivery) {
    const LeaseToken mark{0x7070'0000'0000'0000u + (session_ << 8) + delivery, 0x7070'7070'7070'7070u,
                          0x7070'7070u, 0};
    names_[hex_of(mark)] = "{token " + std::to_string(delivery) + "}";
    return mark;
  }
  JobId submit(const std::string& words, SubmitView view, std::string_view payload, bool hold = false) {
    note("submit: " + words);
    const size_t lane = lane_index(lane_of_priority(view.head.priority == 0 ? 5 : view.head.priority));
    const bool again = (view.head.head.flags & kFlagResubmitted) != 0;
    if (!again) view.head.id = id(lane, ++counters_[lane]);
    if (view.queue.empty()) view.queue = "default";
    view.type = "work";
    view.payload = as_bytes(payload);
    Bytes record(submit_record_bytes(view));
    write_submit_record(view, record);
    send(lane, record, hold);
    return view.head.id;
  }
  void settle(const std::string& words, RecordKind kind, uint64_t delivery, const JobId& job,
              std::string_view body, uint16_t flags = 0) {
    SettleHead head;
    head.head.kind = static_cast<uint8_t>(kind);
    head.head.flags = flags;
    head.token = token(delivery);
    head.id = job;
    if (kind == RecordKind::kExtend) head.progress = 50, head.extend_ms = 120'000;
    control(words, write_settle(head, as_bytes(body)));
  }
  void query(const std::string& words, QueryKind kind, const JobId& id = {}, std::string_view queue = {}) {
    QueryHead head;
    head.kind = kind;
    head.request = ++requests_;
    head.id = id;
    control("query: " + words, write_query(head, queue, {}));
    wait_answer();
  }

 private:
  static Hello golden_hello() {
    Hello hello;
    constexpr std::string_view kName = "golden";
    std::copy(kName.begin(), kName.end(), hello.client_name.begin());
    return hello;
  }
  void say(const Hello& hello) { text_ += "hello " + named(hex(wire_bytes(hello))) + "\n"; }
  std::string named(std::string line) const {
    for (const auto& [found, name] : names_) {
      for (size_t at = line.find(found); at != std::string::npos; at = line.find(found, at + name.size()))
        line.replace(at, found.size(), name);
    }
    return line;
  }
  void wait(const std::string& what, size_t count) {
    text_ += "wait " + what + " " + std::to_string(count) + "\n";
  }

  std::string text_;
  std::map<std::string, std::string> names_;
  std::array<uint64_t, 4> counters_{};
  size_t receipts_ = 0, deliveries_ = 0, answers_ = 0;
  uint64_t requests_ = 0;
  uint64_t session_ = 0;
};

// Jobs that stay where they are, so that what is told of them is the same in each run.
void write_submits(Script& script, JobId& first, JobId& urgent, JobId& low, JobId& memory, JobId& later) {
  SubscribeView subscribe;
  subscribe.number = 3;
  subscribe.credits = 50;
  subscribe.queue = "default";
  subscribe.types = {"work", "other"};
  script.control("subscribe", write_subscribe(subscribe));
  QueueSettings settings;
  settings.max_active = 50;
  settings.queue_timeout_ms = 0;
  settings.batch_interval_ms = 200;
  const QueueKeys keys = queue_key_bit("max_active").value() | queue_key_bit("queue_timeout").value() |
                         queue_key_bit("batch_interval").value();
  script.control("settings of a queue", write_queue_configure("default", settings, keys));
  SubmitView full;
  full.idempotency_key = "key";
  full.ordering_key = "order";
  full.subject = "somebody";
  full.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  full.metadata = "{\"a\":1}";
  full.head.max_attempts = 5;
  full.head.processing_timeout_ms = 3'600'000;
  first = script.submit("with every text", full, "payload");
  script.wait_deliveries();
  script.submit("the same idempotency key again", full, "payload");
  script.wait_receipts();
  SubmitView view;
  view.head.mode = static_cast<uint8_t>(Mode::kPriority);
  view.head.priority = 20;
  view.head.delivery = static_cast<uint8_t>(Delivery::kAtMostOnce);
  urgent = script.submit("urgent, once at most", view, "urgent");
  script.wait_deliveries();
  view = {};
  view.head.mode = static_cast<uint8_t>(Mode::kPriority);
  view.head.priority = 1;
  view.head.durability = static_cast<uint8_t>(Durability::kOs);
  low = script.submit("of low priority, durability os", view, "low");
  script.wait_deliveries();
  view = {};
  view.head.durability = static_cast<uint8_t>(Durability::kMemory);
  memory = script.submit("durability memory", view, "memory");
  script.wait_deliveries();
  view = {};
  view.head.not_before_ms = 4'102'444'800'000;
  later = script.submit("in the year 2100", view, "later");
  view = {};
  view.head.priority = 0;
  script.submit("without a priority, refused", view, "bad");
  script.wait_receipts();
}

void write_settlements(Script& script, const JobId& first, const JobId& urgent, const JobId& low,
                       const JobId& memory) {
  script.settle("start", RecordKind::kStart, 1, first, "");
  script.settle("extend", RecordKind::kExtend, 1, first, "half of it");
  script.query("a job in hand", QueryKind::kJob, first);
  script.query("why it is where it is", QueryKind::kExplain, first);
  script.settle("complete", RecordKind::kComplete, 1, first, "the result");
  script.settle("complete again, refused", RecordKind::kComplete, 1, first, "the result");
  script.wait_receipts();
  script.settle("fail", RecordKind::kFail, 2, urgent, "the error", kFlagDoNotRetry);
  script.settle("release", RecordKind::kRelease, 3, low, "");
  script.wait_deliveries();  // again: the fifth
  script.settle("complete what came again", RecordKind::kComplete, 5, low, "");
  script.settle("complete a job in memory", RecordKind::kComplete, 4, memory, "");
}

void write_batch(Script& script) {
  SubmitView view;
  view.head.mode = static_cast<uint8_t>(Mode::kBatch);
  view.head.batch_count = 2;
  const JobId one = script.submit("two for a batch, all or none", view, "one", true);
  view.head.batch_index = 1;
  const JobId two = script.submit("the second of them", view, "two");
  script.wait_deliveries(2);  // the sixth and seventh
  script.settle("complete one of the batch", RecordKind::kComplete, 6, one, "");
  script.settle("fail the other", RecordKind::kFail, 7, two, "no", kFlagDoNotRetry);
}

void write_commands(Script& script, const JobId& urgent, const JobId& later) {
  script.query("dead letters", QueryKind::kDlq);
  script.query("a dead letter", QueryKind::kDlqJob, urgent);
  script.control("review", write_review(urgent, "looked into"));
  script.control("redrive", write_redrive(urgent));
  script.wait_deliveries();  // the eighth
  script.control("cancel a job in hand, refused", write_cancel(urgent, false));
  script.wait_receipts();
  script.control("cancel it all the same", write_cancel(urgent, true));
  script.wait_deliveries();  // a notice
  script.settle("fail it", RecordKind::kFail, 8, urgent, "stopped");
  script.control("cancel a waiting job", write_cancel(later, false));
  script.control("purge what is no dead letter, refused", write_purge(urgent));
  script.wait_receipts();
  script.control("pause", write_queue_control(QueueAction::kPause, "default"));
  script.query("a queue", QueryKind::kQueues, {}, "default");
  script.control("resume", write_queue_control(QueueAction::kResume, "default"));
  SubmitView job;
  job.head.id = JobId::make(1, 1, 1, 1);  // does not count
  job.queue = "default";
  job.type = "nightly";
  job.payload = as_bytes("every night");
  Bytes record(submit_record_bytes(job));
  write_submit_record(job, record);
  CronSetView cron{};
  cron.name = "nightly";
  cron.spec = "30 2 29 2 *";
  cron.zone = "UTC";
  cron.job = record;
  script.control("a schedule", write_cron_set(cron));
  script.query("schedules", QueryKind::kCron);
  script.control("no schedule any more", write_cron_remove("nightly"));
}

void write_questions(Script& script, const JobId& first) {
  script.query("a finished job", QueryKind::kJob, first);
  script.query("jobs", QueryKind::kJobs, {}, "default");
  script.query("health", QueryKind::kHealth);
  script.query("figures", QueryKind::kMetrics);
  script.query("a copy of the store", QueryKind::kCopy);
  script.query("a job that is not there", QueryKind::kJob, script.id(1, 999));
  WatchHead watch;
  watch.request = 900;
  watch.last = 4;
  watch.follow = 0;
  script.control("the latest changes", write_watch(watch, "default", "work"));
  script.wait_answer();
  watch.request = 901;
  watch.last = 0;
  watch.follow = 1;
  script.control("a watch", write_watch(watch, {}, {}));
  script.control("its end", write_unwatch(901));
  script.control("unsubscribe", write_unsubscribe(3));
}

// What a submit that is sent again says beside what it said first.
SubmitView again(const JobId& id, std::string_view queue) {
  SubmitView view;
  view.queue = queue;
  view.head.id = id;
  view.head.head.flags = kFlagResubmitted;
  return view;
}

void configure_small(Script& script, uint32_t admission_timeout_ms) {
  QueueSettings settings;
  settings.max_depth = 1;
  settings.admission_timeout_ms = admission_timeout_ms;
  const QueueKeys keys = queue_key_bit("max_depth").value() | queue_key_bit("admission_timeout").value();
  script.control("a queue for one job", write_queue_configure("small", settings, keys));
}

// Submits that wait for room: one gets it, one does not. Returns the one that got it.
JobId write_parked(Script& script) {
  SubmitView view;
  view.queue = "small";
  view.head.not_before_ms = 4'102'444'800'000;
  const JobId filler = script.submit("all that the queue may have", view, "filler");
  configure_small(script, 3'600'000);
  view.head.not_before_ms = 0;
  view.head.queue_timeout_ms = 0;
  const JobId admitted = script.submit("one that waits for room", view, "admitted");
  script.wait_receipts();  // deferred
  script.control("room for it", write_cancel(filler, false));
  script.wait_receipts();  // the verdict
  configure_small(script, 1);
  script.submit("one that waits in vain", view, "refused");
  script.wait_receipts(2);
  configure_small(script, 3'600'000);
  return admitted;
}

SubscribeView away_subscription() {
  SubscribeView subscribe;
  subscribe.number = 5;
  subscribe.credits = 5;
  subscribe.queue = "away";
  subscribe.types = {"work"};
  return subscribe;
}

// The daemon goes while jobs are in hand and a submit waits for room; the client comes back, proves who it
// was, and sends again what it had no answer to.
void write_resumption(Script& script, const JobId& in_the_way) {
  SubmitView view;
  view.queue = "small";
  view.head.queue_timeout_ms = 0;
  const JobId parked = script.submit("one that waits while the daemon goes", view, "parked");
  script.wait_receipts();
  script.control("subscribe", write_subscribe(away_subscription()));
  view.queue = "away";
  const JobId settled = script.submit("one that is done when the daemon is away", view, "settled");
  script.wait_deliveries();  // the tenth
  const JobId repeated = script.submit("one whose delivery nobody has read", view, "repeated");
  script.wait_deliveries();  // the eleventh
  const JobId unheard = script.id(1, 900);
  const LeaseToken token = script.token(10);
  script.resume(9);  // a notice has no number
  script.submit("again: it still waits", again(parked, "small"), "parked");
  script.wait_receipts();
  SubmitView known = again(settled, "away");
  known.head.queue_timeout_ms = 0;
  script.submit("again: it is known", known, "settled");
  script.wait_receipts();
  script.submit("again, and the daemon has never seen it", again(unheard, "away"), "unheard");
  SettleHead settle;
  settle.head.kind = static_cast<uint8_t>(RecordKind::kComplete);
  settle.head.flags = kFlagResubmitted;
  settle.token = token;
  settle.id = settled;
  script.control("complete, under the lease of the session before", write_settle(settle, as_bytes("done")));
  script.wait_deliveries(2);  // again: the one that was not read; and that no more of these will come
  script.control("subscribe", write_subscribe(away_subscription()));
  script.wait_deliveries();
  script.settle("complete what came again", RecordKind::kComplete, 1, repeated, "");
  script.settle("complete what came late", RecordKind::kComplete, 3, unheard, "");
  script.control("room for the one that waits", write_cancel(in_the_way, false));
  script.wait_receipts();
  script.query("jobs that outlived the daemon", QueryKind::kJobs, {}, "away");
  script.query("what has come to its place", QueryKind::kJobs, {}, "small");
}

std::string written_by_a_client() {
  Script script;
  script.note("What a client of ABI version " + std::to_string(kAbiVersion) + " writes; see session_play.h.");
  script.hello();
  JobId first, urgent, low, memory, later;
  write_submits(script, first, urgent, low, memory, later);
  write_settlements(script, first, urgent, low, memory);
  write_batch(script);
  write_commands(script, urgent, later);
  write_questions(script, first);
  const JobId admitted = write_parked(script);
  write_resumption(script, admitted);
  return script.text();
}

}  // namespace
}  // namespace pqd::test

int main(int argc, char** argv) {
  using namespace pqd::test;
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_session NAME\n");
    return 64;
  }
  const std::string script = written_by_a_client();
  write_file(std::string(argv[1]) + ".up", script);
  Daemon daemon;
  if (!daemon.start()) return 1;
  const Played played = play_session(daemon.socket(), script, [&daemon] {
    daemon.kill();
    return static_cast<bool>(daemon.start());
  });
  write_file(std::string(argv[1]) + ".down", played.text);
  if (played.fault.empty()) return 0;
  std::fprintf(stderr, "make_session: the daemon does not take this line:\n%s\n", played.fault.c_str());
  return 1;
}
