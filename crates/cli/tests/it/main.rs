//! The program from outside: started, killed, fed with nonsense, and asked afterwards whether everything is sound.
mod backups;
mod bad_input;
mod braid;
mod exports;
mod config;
mod full_disk;
mod http;
mod kills;
mod postgres_away;
mod moving;
mod start;
mod stores;
mod story;
