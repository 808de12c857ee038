//! Answers for threads that wait for a command.
//!
//! Waking a sleeping thread is a system call and often an interrupt to another core; done for each of a group's callers in turn it was a
//! fifth of the writer's time (64 threads that claim goods, `perf record braid bench orders --what claims`). So a group's answers are all
//! laid down first ([`together`]), and whoever is woken wakes others before it goes on: the writer wakes as many as the number of callers
//! has binary digits.
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;

/// Somebody who sleeps until there is an answer.
struct Waiter {
    thread: Thread,
    woken: AtomicBool,
    /// Whom they wake in turn; `None` once they wait no more and wake nobody.
    others: Mutex<Option<Vec<Arc<Waiter>>>>,
}

struct Slot<T> {
    waiter: Arc<Waiter>,
    answer: Mutex<Option<T>>,
}

/// Gives the answer, once. Dropped without one, it says so.
pub(crate) struct Sender<T>(Arc<Slot<T>>);

/// Waits for the answer on the thread that made it.
pub(crate) struct Receiver<T>(Arc<Slot<T>>);

thread_local! {
    /// Who is woken when the work at hand is done; `None` outside of [`together`].
    static LATER: RefCell<Option<Vec<Arc<Waiter>>>> = const { RefCell::new(None) };
}

/// A place for one answer, for which this thread waits.
pub(crate) fn answer<T>() -> (Sender<T>, Receiver<T>) {
    let waiter =
        Waiter { thread: std::thread::current(), woken: AtomicBool::new(false), others: Mutex::new(Some(Vec::new())) };
    let slot = Arc::new(Slot { waiter: Arc::new(waiter), answer: Mutex::new(None) });
    (Sender(slot.clone()), Receiver(slot))
}

/// Whoever gets an answer during `f` is woken after it.
pub(crate) fn together(f: impl FnOnce()) {
    struct Wakes;
    impl Drop for Wakes {
        fn drop(&mut self) {
            wake(LATER.take().unwrap_or_default());
        }
    }
    LATER.set(Some(Vec::new()));
    let wakes = Wakes;
    f();
    drop(wakes);
}

/// Wakes all of these: the first of the first half, who wakes that half, and so on with the other.
fn wake(mut waiters: Vec<Arc<Waiter>>) {
    while let Some(first) = waiters.pop() {
        let kept = waiters.len() / 2;
        let theirs = waiters.split_off(kept);
        let mut others = first.others.lock().unwrap_or_else(PoisonError::into_inner);
        match others.as_mut() {
            Some(others) => *others = theirs,
            None => waiters.extend(theirs),
        }
        first.woken.store(true, Ordering::Release);
        drop(others);
        first.thread.unpark();
    }
}

impl<T> Sender<T> {
    pub(crate) fn send(self, answer: T) {
        *self.0.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waiter = self.0.waiter.clone();
        let alone = LATER.with_borrow_mut(|later| match later {
            Some(later) => {
                later.push(waiter);
                None
            }
            None => Some(waiter),
        });
        wake(alone.into_iter().collect());
    }
}

impl<T> Receiver<T> {
    /// Sleeps until there is an answer, or will be none.
    pub(crate) fn recv(self) -> Option<T> {
        while !self.0.waiter.woken.load(Ordering::Acquire) {
            std::thread::park();
        }
        self.pass_on();
        self.0.answer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn pass_on(&self) {
        let others = self.0.waiter.others.lock().unwrap_or_else(PoisonError::into_inner).take();
        wake(others.unwrap_or_default());
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn everybody_gets_their_own_answer_and_is_woken() {
        for count in [0usize, 1, 2, 3, 7, 64, 200] {
            let (places, taken) = mpsc::channel();
            let threads: Vec<_> = (0..count)
                .map(|n| {
                    let places = places.clone();
                    std::thread::spawn(move || {
                        let (sender, receiver) = answer();
                        places.send((n, sender)).expect("it is taken");
                        // Every fifth goes away without waiting, and may have been asked to wake others.
                        if n % 5 == 4 { None } else { receiver.recv() }
                    })
                })
                .collect();
            let senders: Vec<_> = taken.iter().take(count).collect();
            together(|| {
                for (n, sender) in senders {
                    // Every seventh gets no answer.
                    if n % 7 != 6 {
                        sender.send(n);
                    }
                }
            });
            for (n, thread) in threads.into_iter().enumerate() {
                let wanted = (n % 5 != 4 && n % 7 != 6).then_some(n);
                assert_eq!(thread.join().expect("it ends"), wanted);
            }
        }
    }

    #[test]
    fn an_answer_alone_comes_at_once_and_a_panic_leaves_nobody_asleep() {
        let (sender, receiver) = answer();
        sender.send(1);
        assert_eq!(receiver.recv(), Some(1));
        let (sender, receiver) = answer::<u8>();
        let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            together(|| {
                drop(sender);
                panic!("amid the answers");
            });
        }));
        assert!(broken.is_err());
        assert_eq!(receiver.recv(), None);
    }
}
