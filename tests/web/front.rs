//! Where the server listens and at which paths: several addresses, a taken port, and nginx in front of it.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;

use libtest_mimic::Trial;

use super::{CONFIG, SOON, utf8};
use crate::kit::{Daemon, Lab, Reachd, command, http, run_to_end, wait};
use crate::suite::{SharedLab, trial};

pub(super) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("web::several_addresses", lab, several_addresses),
        trial("web::behind_nginx", lab, behind_nginx),
    ]
}

fn several_addresses(lab: &Lab) {
    let config = lab.write("web-addresses.yml", CONFIG);
    let (second, taken) = (lab.fresh_address(), lab.fresh_address());
    // Nobody else of the lab listens there.
    let sixth = TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap();
    let (second_text, sixth_text) = (second.to_string(), sixth.to_string());
    let flag = "--web.listen-address";
    let reachd = Reachd::start_with(
        lab,
        "web-addresses",
        &config,
        &[flag, &second_text, flag, &sixth_text],
    );
    for address in [reachd.address, second, sixth] {
        let answered = wait::within(SOON, || http::get(address, "/-/healthy").ok());
        assert_eq!(answered.map(|answer| answer.status), Some(200), "{address}");
    }
    let taken_text = taken.to_string();
    let line = [
        "run",
        "--config.file",
        utf8(&config),
        flag,
        &taken_text,
        flag,
        &second_text,
    ];
    let refused = run_to_end(command(&line));
    assert_eq!(refused.exit_code, 64, "{refused:?}");
    for expected in [&*second_text, flag] {
        assert!(refused.stderr.contains(expected), "{expected}: {refused:?}");
    }
}

/// The page, what it links to, its events and the switch to reload, below a prefix that nginx leaves as it is.
fn behind_nginx(lab: &Lab) {
    let config = lab.write("web-nginx.yml", CONFIG);
    let flags = [
        "--web.route-prefix",
        "/tools/reachd/",
        "--web.telemetry-path",
        "/telemetry",
        "--web.enable-lifecycle",
    ];
    let reachd = Reachd::start_with(lab, "web-nginx", &config, &flags);
    let front = lab.fresh_address();
    let conf = lab.write(
        "web-nginx.conf",
        &format!(
            "daemon off;\nmaster_process off;\npid @dir@/web-nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n  access_log off;\n  \
             client_body_temp_path @dir@/web-nginx-body;\n  proxy_temp_path @dir@/web-nginx-proxy;\n  \
             fastcgi_temp_path @dir@/web-nginx-1;\n  uwsgi_temp_path @dir@/web-nginx-2;\n  scgi_temp_path @dir@/web-nginx-3;\n  \
             server {{\n    listen {front};\n    location /tools/reachd/ {{\n      proxy_pass http://{};\n      \
             proxy_set_header Host $http_host;\n      proxy_buffering off;\n    }}\n  }}\n}}\n",
            reachd.address
        ),
    );
    let line = ["nginx", "-e", "stderr", "-c", utf8(&conf)];
    let mut nginx = Daemon::start("web-nginx-front", &line, lab.dir());
    nginx.wait_for(front);
    let ready = wait::within(SOON, || {
        let answer = http::get(front, "/tools/reachd/-/ready").ok()?;
        (answer.status == 200).then_some(())
    });
    assert!(ready.is_some(), "{}", reachd.daemon.log());
    every_link_leads_somewhere(front);
    assert_eq!(
        http::get(front, "/tools/reachd/metrics").unwrap().status,
        404
    );
    assert_eq!(http::get(reachd.address, "/metrics").unwrap().status, 404);

    let origin = format!("Origin: http://{front}");
    let mut reload = Command::new("curl");
    reload
        .args([
            "--silent",
            "--fail-with-body",
            "--request",
            "POST",
            "--header",
            &origin,
        ])
        .arg(format!("http://{front}/tools/reachd/-/reload"));
    let reloaded = run_to_end(reload);
    assert_eq!(reloaded.exit_code, 0, "{reloaded:?}");

    let mut events = Command::new("curl");
    events
        .args(["--silent", "--no-buffer", "--max-time", "4"])
        .arg(format!("http://{front}/tools/reachd/api/v1/events"));
    let told = run_to_end(events);
    assert!(told.stdout.contains("event: status"), "{told:?}");
}

/// From the page on, through every page, style and script that one of them names.
fn every_link_leads_somewhere(front: SocketAddr) {
    let mut known = BTreeSet::from(["/tools/reachd/".to_owned()]);
    let mut waiting: Vec<String> = known.iter().cloned().collect();
    while let Some(path) = waiting.pop() {
        let answer = http::get(front, &path).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        for link in ["href=\"", "src=\"", "action=\""] {
            for rest in answer.body.split(link).skip(1) {
                let target = rest.split('"').next().unwrap_or_default();
                let target = target.split('#').next().unwrap_or_default();
                let mut target = target.replace("&#38;", "&").replace("&amp;", "&");
                if target.starts_with('?') {
                    target.insert_str(0, path.split('?').next().unwrap_or_default());
                }
                if !target.is_empty() && known.insert(target.clone()) {
                    assert!(target.starts_with("/tools/reachd/"), "{path}: {target}");
                    waiting.push(target);
                }
            }
        }
    }
    let metrics = "/tools/reachd/telemetry";
    assert!(known.contains(metrics) && known.len() >= 8, "{known:#?}");
}
