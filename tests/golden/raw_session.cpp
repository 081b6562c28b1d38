#include "tests/golden/raw_session.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr size_t kHeader = 4096;
constexpr size_t kReceipt = 64;

}  // namespace

RawSession::~RawSession() {
  if (up_ != nullptr) ::munmap(up_, up_bytes_);
  if (down_ != nullptr) ::munmap(const_cast<char*>(down_), down_bytes_);
}

bool RawSession::open(const std::string& socket, const Record& hello) {
  socket_ = UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return false;
  if (::send(socket_.get(), hello.data(), hello.size(), 0) != static_cast<ssize_t>(hello.size()))
    return false;
  return receive(socket_.get()) && number_at<uint32_t>(reply_, 8) == 2 && files_.size() == 5 && map();
}

bool RawSession::receive(int socket) {
  std::array<char, 512> text{};
  alignas(cmsghdr) std::array<char, 256> control{};
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got <= 0) return false;
  reply_.assign(text.data(), static_cast<size_t>(got));
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    for (size_t i = 0; i < (at->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
      files_.emplace_back(fd);
    }
  }
  return true;
}

bool RawSession::map() {
  size_t at = kHeader;
  for (size_t lane = 0; lane < lanes_.size(); ++lane) {
    lanes_[lane] = {at, number_at<uint32_t>(reply_, 48 + 4 * lane)};
    at += lanes_[lane].bytes;
  }
  up_bytes_ = at;
  receipt_slots_ = {kHeader, number_at<uint32_t>(reply_, 68) * kReceipt};
  delivery_ring_ = {kHeader + receipt_slots_.bytes, number_at<uint32_t>(reply_, 72)};
  answer_ring_ = {delivery_ring_.at + delivery_ring_.bytes, number_at<uint32_t>(reply_, 76)};
  down_bytes_ = answer_ring_.at + answer_ring_.bytes;
  void* up = ::mmap(nullptr, up_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, files_[0].get(), 0);
  if (up == MAP_FAILED) return false;
  up_ = static_cast<char*>(up);
  void* down = ::mmap(nullptr, down_bytes_, PROT_READ, MAP_SHARED, files_[1].get(), 0);
  if (down == MAP_FAILED) return false;
  down_ = static_cast<const char*>(down);
  return true;
}

uint64_t RawSession::load(size_t offset) const {
  return __atomic_load_n(reinterpret_cast<const uint64_t*>(down_ + offset), __ATOMIC_ACQUIRE);
}
void RawSession::store(size_t offset, uint64_t value) {
  __atomic_store_n(reinterpret_cast<uint64_t*>(up_ + offset), value, __ATOMIC_RELEASE);
}

// Sleeping or not: a ring too many does no harm.
void RawSession::ring_bell() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const uint64_t one = 1;
  (void)!::write(files_[3].get(), &one, sizeof one);
}

void RawSession::write(size_t lane, const Record& record) {
  Ring& ring = lanes_[lane];
  for (size_t i = 0; i < record.size(); ++i) up_[ring.at + (ring.cursor + i) % ring.bytes] = record[i];
  ring.cursor += (record.size() + 7) / 8 * 8;
  ++written_[lane];
}

bool RawSession::publish(size_t lane) {
  store(8 * lane, lanes_[lane].cursor);
  ring_bell();
  const size_t applied = 192 + 64 * lane + 8;
  return eventually([&] { return load(applied) >= written_[lane]; });
}

Record RawSession::bytes_of(const Ring& ring, uint64_t cursor, size_t bytes) const {
  Record record(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) record[i] = down_[ring.at + (cursor + i) % ring.bytes];
  return record;
}

void RawSession::take_receipts() {
  for (const uint64_t count = load(512); receipt_slots_.cursor < count; ++receipt_slots_.cursor)
    receipts_.push_back(bytes_of(receipt_slots_, receipt_slots_.cursor * kReceipt, kReceipt));
  store(64, receipt_slots_.cursor);
  ring_bell();
}

void RawSession::take(Ring& ring, size_t tail_offset, size_t read_offset, std::vector<Record>& into) {
  for (const uint64_t tail = load(tail_offset); ring.cursor < tail;) {
    const auto bytes = number_at<uint32_t>(bytes_of(ring, ring.cursor, 4), 0);
    into.push_back(bytes_of(ring, ring.cursor, bytes));
    ring.cursor += (bytes + 7) / 8 * 8;
  }
  store(read_offset, ring.cursor);
  ring_bell();
}

bool RawSession::wait_receipts(size_t count) {
  return eventually([&] {
    take_receipts();
    return receipts_.size() >= count;
  });
}
bool RawSession::wait_deliveries(size_t count) {
  return eventually([&] {
    take(delivery_ring_, 576, 128, deliveries_);
    return deliveries_.size() >= count;
  });
}
bool RawSession::wait_ends_of_answers(size_t count) {
  return eventually([&] {
    take(answer_ring_, 640, 192, answers_);
    const auto is_end = [](const Record& answer) { return answer[16] == 0; };
    return static_cast<size_t>(std::ranges::count_if(answers_, is_end)) >= count;
  });
}

}  // namespace pqd::test
